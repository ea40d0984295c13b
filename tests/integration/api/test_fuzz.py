"""Made-up requests for every route: each answer is one that the OpenAPI document promises, and none is a fault."""

import asyncio
import json
import os
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.integration.api.clients import WEBSITE, Caller, Company, granted
from tests.integration.api.conftest import OpenCompany
from tests.integration.api.schemas import nearly

AT_ONCE = 4
CASES = int(os.environ.get("API_CASES", "250"))
BEYOND = {404: "no_such_route", 405: "method_not_allowed", 413: "body_too_large"}
"""What any path may answer that is none of the document's."""

# They end the session or the company that everything else is asked with, or take a second each.
SPARED = re.compile(r"/v1/auth/(logout|register|login|password|sessions/)|/erase$|/v1/members/")


@pytest.fixture(scope="module")
async def asking(open_company: OpenCompany) -> Company:
    """A company of its own, in which anything may come to happen."""
    return await open_company("Soylent")


@pytest.fixture(scope="module")
async def document(asking: Company) -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = granted(await asking.http.get("/openapi.json"))
    return document


@pytest.fixture(scope="module")
async def callers(asking: Company) -> list[Caller]:
    """The owner, who may do most, a visitor, and nobody."""
    nobody = Caller(asking.http, "nobody", WEBSITE)
    return [asking.staff, asking.staff, asking.staff, asking.server, await asking.visitor(), nobody]


async def test_every_answer_is_one_that_the_document_promises(
    asking: Company, document: dict[str, Any], callers: list[Caller]
) -> None:
    known = {"tenant_id": asking.tenant_id, "assistant_id": asking.assistant_id, "widget_id": asking.widget_id}
    promises, broken = Promises(document), dict[str, object]()
    waiting = iter(made(document, known | {"key": asking.widget_key}, callers))

    async def ask() -> None:
        for case in waiting:
            response = await case.caller.request(case.method, case.path, **case.given)
            if told := promises.broken_by(response, case.operation):
                broken.setdefault(
                    f"{case.method} {case.template}: {told}", (case.path, case.given, response.text[:300])
                )

    await asyncio.gather(*(ask() for _ in range(AT_ONCE)))

    assert not broken, "\n".join(f"{told}\n    {shown}" for told, shown in broken.items())


@dataclass(frozen=True)
class Case:
    """A request to a route, and who sends it."""

    method: str
    template: str
    operation: dict[str, Any]
    path: str
    given: dict[str, Any]
    caller: Caller


def made(document: dict[str, Any], known: Mapping[str, str], callers: list[Caller]) -> list[Case]:
    """Make up the cases, all before the first is sent: what comes back must not steer what is made."""
    found: list[Case] = []

    @settings(max_examples=CASES, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @seed(random.randrange(2**32))
    @given(case=cases(document, known, callers))
    def keep(case: Case) -> None:
        found.append(case)

    keep()
    return found


@st.composite
def cases(draw: st.DrawFn, document: dict[str, Any], known: Mapping[str, str], callers: list[Caller]) -> Case:
    """A request for some route: about things that are there, that might be, and nonsense."""
    routes = [(path, method) for path, methods in document["paths"].items() for method in methods]
    template, method = draw(st.sampled_from([route for route in routes if not SPARED.search(route[0])]))
    operation, path, given = document["paths"][template][method], template, dict[str, Any]()
    for parameter in operation.get("parameters", ()):
        name, place = parameter["name"], parameter["in"]
        value = nearly(parameter["schema"], document)
        if place == "path":
            text = draw(st.just(known[name]) if name in known and draw(st.booleans()) else value.map(_text))
            path = path.replace(f"{{{name}}}", quote(text, safe="") or "x")
        elif place == "query" and draw(st.booleans()):
            given.setdefault("params", {})[name] = draw(value.map(_text))
    if "requestBody" in operation:
        body = draw(nearly(operation["requestBody"]["content"]["application/json"]["schema"], document))
        given |= {"content": json.dumps(body).encode(), "headers": {"Content-Type": "application/json"}}
    return Case(method.upper(), template, operation, path, given, draw(st.sampled_from(callers)))


class Promises:
    """What the document says of answers."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._components = document["components"]
        self._validators: dict[str, jsonschema.Draft202012Validator] = {}

    def broken_by(self, response: httpx.Response, operation: dict[str, Any]) -> str:
        """Say how an answer is not what its operation promises: its status, or its form."""
        status = response.status_code
        if response.is_server_error:
            return f"a fault, {status}"
        promised = operation["responses"].get(str(status))
        if promised is None:
            beyond = status in BEYOND and response.json()["error"]["code"] == BEYOND[status]
            return "" if beyond else f"the status {status} is not documented"
        if not response.content or response.headers.get("content-type") != "application/json":
            return ""
        schema = promised.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return f"{status} has a body that is not documented"
        error = next(self._validator(schema).iter_errors(response.json()), None)
        return f"{status} is of another form: {error.json_path} {error.message[:200]}" if error else ""

    def _validator(self, schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
        name = json.dumps(schema)
        if name not in self._validators:
            self._validators[name] = jsonschema.Draft202012Validator({**schema, "components": self._components})
        return self._validators[name]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
