"""What a function loads when it starts: nothing that it does not need before its first event."""

import json
import os
import subprocess
import sys

import pytest

from local.function import function_environment

FUNCTIONS = ("chat", "config", "widget_config", "documents", "jobs", "realtime", "migrate")
# Loaded at first use, by the one adapter that needs it.
LATER = {"anthropic", "docx", "grpc", "httpx", "httpx2", "lxml", "mcp", "numpy", "openai", "pypdfium2", "qdrant_client",
         "safetensors", "splintr", "tokenizers"}  # fmt: skip
SDK = {"boto3", "botocore.session", "s3transfer"}
WEB = {"fastapi", "mangum", "starlette", "uvicorn"}
CREDENTIALS = {"argon2", "cryptography", "jwt"}
UNUSED = {
    "chat": SDK | {"uvicorn"},
    "config": SDK | {"redis", "uvicorn"},
    "widget_config": SDK | {"redis", "uvicorn"},
    "documents": SDK | WEB | CREDENTIALS | {"redis"},
    "jobs": SDK | WEB | CREDENTIALS | {"redis"},
    "realtime": SDK | WEB | {"redis"},
    "migrate": WEB | CREDENTIALS | {"pydantic", "redis"},
}
PROGRAM = "import json, sys, functions.{}.handler; print(json.dumps(sorted(sys.modules)))"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_starts_without_what_it_does_not_use(name: str) -> None:
    environment = function_environment(name, {}) | {"PATH": os.defpath}

    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(name)], cwd="/", env=environment, capture_output=True, text=True
    )

    assert finished.returncode == 0, finished.stderr
    assert set(json.loads(finished.stdout)) & (LATER | UNUSED[name]) == set()


SNAPSHOT = """
import json, sys
from fastapi.testclient import TestClient
import functions.chat.handler
client = TestClient(functions.chat.handler.app)
statuses = [client.post(path).status_code for path in ("/snapshot/before", "/snapshot/after")]
print(json.dumps([statuses, sorted(sys.modules)]))
"""


@pytest.mark.parametrize(
    ("variables", "statuses", "imported"),
    [({"AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH": "/snapshot/before"}, [204, 204], True), ({}, [404, 404], False)],
)
def test_before_a_snapshot_the_chat_function_imports_what_its_first_question_needs(
    variables: dict[str, str], statuses: list[int], imported: bool
) -> None:
    environment = function_environment("chat", variables) | {"PATH": os.defpath}

    finished = subprocess.run(
        [sys.executable, "-c", SNAPSHOT], cwd="/", env=environment, capture_output=True, text=True
    )

    assert finished.returncode == 0, finished.stderr
    answered, modules = json.loads(finished.stdout)
    assert answered == statuses
    assert ({"openai", "anthropic", "qdrant_client", "boto3", "splintr"} <= set(modules)) is imported
