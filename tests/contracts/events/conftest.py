"""The functions under Lambda's own runtime client, on the running stack; each keeps its process for all tests."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest

from local.configuration import ROOT
from local.events import event_values, read_event
from local.function import LocalFunction
from local.runtime_api import Outcome
from local.services.aws import emulator_session
from tests.stack import RunningStack

BUCKET = "contract-uploads"  # it announces nothing, so that only the events of these tests start anything

Invoke = Callable[..., Outcome]
ReadEvent = Callable[..., Any]
Company = dict[str, str]


@pytest.fixture(scope="session")
def s3(stack: RunningStack) -> Iterator[Any]:
    client = emulator_session().client("s3", endpoint_url=stack.services.aws.url)
    client.create_bucket(Bucket=BUCKET)
    yield client
    client.close()


@pytest.fixture(scope="session")
def function_settings(stack: RunningStack, s3: Any) -> Mapping[str, str]:
    """The stack's settings, with a bucket of our own."""
    return {**stack.settings, "UPLOADS_BUCKET": BUCKET}


@pytest.fixture(scope="session")
def start(function_settings: Mapping[str, str]) -> Iterator[Callable[..., LocalFunction]]:
    """Start a function once for each set of changed settings."""
    running: dict[tuple[Any, ...], LocalFunction] = {}
    with ExitStack() as stop:

        def started(name: str, **changed: str) -> LocalFunction:
            kind = (name, *sorted(changed.items()))
            if kind not in running:
                running[kind] = stop.enter_context(LocalFunction(name, {**function_settings, **changed}))
            return running[kind]

        yield started


@pytest.fixture(scope="session")
def invoke(start: Callable[..., LocalFunction]) -> Invoke:
    """Invoke a function; keyword arguments are settings that differ."""

    def invoked(name: str, event: Any, **changed: str) -> Outcome:
        return start(name, **changed).invoke(event, timeout_seconds=60)

    return invoked


@pytest.fixture(scope="session")
def read(stack: RunningStack, s3: Any, company: Company) -> ReadEvent:
    """Read a sample event, filled in; keyword arguments replace what a placeholder stands for."""
    values = event_values(
        {**company, "api_url": stack.api_url, "s3_endpoint": stack.services.aws.url, "bucket": BUCKET}
    )

    def event(name: str, **replaced: str) -> Any:
        return read_event(ROOT / "events" / f"{name}.json", {**values, **replaced})

    return event


@pytest.fixture(scope="session")
def company(stack: RunningStack) -> Company:
    """A tenant of our own, so that nobody else's documents change."""
    person = {
        "company": "Polar Bells",
        "email": "owner@polar.example",
        "password": secrets.token_urlsafe(12),
        "allowed_domains": ["127.0.0.1"],
    }
    opened = httpx.post(f"{stack.api_url}/v1/auth/register", json=person, timeout=30).raise_for_status().json()
    return {name: opened[name] for name in ("tenant_id", "assistant_id", "widget_key", "secret_key")}


@pytest.fixture(scope="session")
def api(stack: RunningStack, company: Company) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {company['secret_key']}"}
    with httpx.Client(base_url=stack.api_url, headers=headers, timeout=30) as client:
        yield client


@dataclass(frozen=True)
class Uploaded:
    """A file in the bucket that nothing has been told of. `encoded_key` is its key as S3 writes it in events."""

    document_id: str
    key: str

    @property
    def encoded_key(self) -> str:
        return quote_plus(self.key, safe="/")


Upload = Callable[..., Uploaded]


@pytest.fixture
def upload(api: httpx.Client, s3: Any) -> Upload:
    def uploaded(text: str, filename: str = "notes.txt") -> Uploaded:
        body = {"filename": filename, "content_type": "text/plain", "size": len(text.encode())}
        promised = api.post("/v1/documents", json=body).raise_for_status().json()
        key = promised["upload"]["fields"]["key"]
        s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
        return Uploaded(promised["document"]["id"], key)

    return uploaded


DocumentOf = Callable[[Uploaded], dict[str, Any]]


@pytest.fixture
def document_of(api: httpx.Client) -> DocumentOf:
    def document(uploaded: Uploaded) -> dict[str, Any]:
        found: dict[str, Any] = api.get(f"/v1/documents/{uploaded.document_id}").raise_for_status().json()
        return found

    return document
