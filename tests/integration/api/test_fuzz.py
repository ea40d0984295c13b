"""Made-up requests for every route: each answer is one that the OpenAPI document promises, and none is a fault."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from tests.integration.api.clients import WEBSITE, Caller, Company
from tests.integration.api.conftest import OpenCompany
from tests.stack import RunningStack

EXAMPLES = os.environ.get("API_EXAMPLES", "1")
"""Requests for each route, for each kind of caller."""

PHASES = os.environ.get("API_PHASES", "fuzzing")

SEED = os.environ.get("API_SEED", "1")

CALLERS = os.environ.get("API_CALLERS", "owner visitor").split()

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)

# They end the session or the company that everything else is asked with, or take a second each.
SPARED = r"/v1/auth/(logout|register|login|password|sessions/)|/erase$|/v1/members/"

KNOWN = """
[dictionaries.{name}]
values = ["{value}"]

[parameters."path.{name}"]
dictionary = "{name}"
probability = 0.7
"""
"""Most paths are about things that are there, the rest about things that might be, and nonsense."""


@pytest.fixture
async def asking(open_company: OpenCompany) -> Company:
    """A company of its own, in which anything may come to happen."""
    return await open_company("Soylent")


@pytest.fixture(params=CALLERS)
async def caller(request: pytest.FixtureRequest, asking: Company) -> Caller:
    match request.param:
        case "owner":
            return asking.staff
        case "server":
            return asking.server
        case "visitor":
            return await asking.visitor()
        case _:
            return Caller(asking.http, "nobody", WEBSITE)


@pytest.fixture
def settings(asking: Company, tmp_path: Path) -> Path:
    """What the tool is told: the ids that there are."""
    known = {"tenant_id": asking.tenant_id, "assistant_id": asking.assistant_id, "widget_id": asking.widget_id}
    path = tmp_path / "schemathesis.toml"
    path.write_text("".join(KNOWN.format(name=name, value=value) for name, value in known.items()))
    return path


async def test_every_answer_is_one_that_the_document_promises(
    stack: RunningStack, caller: Caller, settings: Path
) -> None:
    headers = [part for name, value in caller.headers.items() for part in ("--header", f"{name}: {value}")]
    tool = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", str(settings)),
        *("run", f"{stack.api_url}/openapi.json", *headers, "--checks", ",".join(CHECKS), "--phases", PHASES),
        *("--max-examples", EXAMPLES, "--exclude-path-regex", SPARED, "--continue-on-failure", "--workers", "2"),
        *("--seed", SEED),
        cwd=settings.parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    report = (await tool.communicate())[0].decode()

    assert tool.returncode == 0, report
    assert int(re.findall(r"(\d+) generated, (\d+) passed", report)[0][0]) > 100
