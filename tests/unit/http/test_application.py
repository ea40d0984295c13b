"""What every HTTP function answers, whatever happens inside."""

import re
from typing import Annotated
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import Query
from pydantic import BaseModel, Field
from starlette.types import Message

from chatconnect.domain import errors
from chatconnect.domain.errors import (
    ChatConnectError,
    Conflict,
    DocumentRejected,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    ProviderBusy,
    ProviderFailed,
    Unauthenticated,
    Unavailable,
)
from chatconnect.http.application import create_app
from chatconnect.http.statuses import STATUS, status_of
from chatconnect.observability import trace_id

HIDDEN = "hunter2-hidden"
ERRORS: dict[str, tuple[Exception, int]] = {
    "invalid": (Invalid("no", details={"field": "x"}), 400),
    "unauthenticated": (Unauthenticated("no"), 401),
    "forbidden": (Forbidden("no", code="origin_required"), 403),
    "missing": (NotFound("document", uuid4()), 404),
    "conflict": (Conflict("no"), 409),
    "rejected": (DocumentRejected("encrypted", "no"), 422),
    "limited": (LimitReached("wait", retry_after=12.2), 429),
    "limited-for-good": (LimitReached("no more"), 429),
    "busy": (ProviderBusy(0.1), 429),
    "away": (Unavailable("the database"), 503),
    "failed": (ProviderFailed(), 503),
    "ours": (ChatConnectError("no"), 500),
}


class Body(BaseModel):
    """What the test route takes."""

    password: str = Field(max_length=5)
    id: UUID
    metadata: dict[str, str] = Field(default_factory=dict)


TAKEN: list[Body | None] = []

app = create_app("Test", environment="prod")


@app.get("/raise/{name}")
async def raise_one(name: str) -> None:
    if name in ERRORS:
        raise ERRORS[name][0]
    raise RuntimeError(f"a bug with {HIDDEN} inside")


@app.post("/body")
async def take(body: Body, limit: Annotated[int, Query(ge=1)] = 1) -> str:
    return "taken"


@app.post("/optional")
async def take_or_leave(body: Body | None = None) -> None:
    TAKEN.append(body)


@app.get("/trace")
async def trace() -> str:
    return trace_id.get()


def tree(root: type[ChatConnectError] = ChatConnectError) -> list[type[ChatConnectError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in tree(child))]


def test_every_error_of_the_tree_has_a_status_and_a_code_of_its_own() -> None:
    ours = [kind for kind in tree() if kind.__module__ == errors.__name__]

    assert len(ours) > 10
    for kind in ours[1:]:
        assert next(STATUS[parent] for parent in kind.__mro__ if parent in STATUS) != 500, kind
    assert len({kind.code for kind in ours}) == len(ours)


@pytest.mark.parametrize("name", ERRORS)
async def test_an_error_is_answered_with_its_status_code_words_and_trace(name: str, client: httpx.AsyncClient) -> None:
    error, status = ERRORS[name]
    assert isinstance(error, ChatConnectError)

    response = await client.get(f"/raise/{name}")

    assert (response.status_code, status_of(error)) == (status, status)
    assert response.json() == {
        "error": {
            "code": error.code,
            "message": error.message,
            "details": error.details,
            "trace_id": response.headers["X-Trace-Id"],
        }
    }


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("limited", "13"), ("busy", "1"), ("away", "5"), ("failed", "5"), ("limited-for-good", None), ("invalid", None)],
)
async def test_who_may_come_back_is_told_when(name: str, seconds: str | None, client: httpx.AsyncClient) -> None:
    response = await client.get(f"/raise/{name}")

    assert response.headers.get("Retry-After") == seconds


async def test_a_bug_is_answered_plainly_and_shows_nothing(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    response = await client.get("/raise/bug", headers={"Origin": "https://acme.example"})

    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal"
    assert response.json()["error"]["trace_id"] == response.headers["X-Trace-Id"]
    assert response.headers["Access-Control-Allow-Origin"] == "https://acme.example"
    assert HIDDEN not in response.text + capsys.readouterr().out


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"password": HIDDEN, "id": str(uuid4())}, {"password"}),
        ({"password": 5, "id": HIDDEN}, {"password", "id"}),
        ({"password": "x", "id": "zzz"}, {"id"}),
        ({}, {"password", "id"}),
        ({"password": "x", "id": str(uuid4()), "metadata": {"k" * 5_000: 1}}, {("metadata." + "k" * 5_000)[:100]}),
        (HIDDEN, {"body"}),
    ],
)
async def test_a_malformed_request_is_told_its_fields_and_never_its_values(
    sent: object, fields: set[str], client: httpx.AsyncClient
) -> None:
    response = await client.post("/body", json=sent)

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (400, "invalid_request")
    assert {field["field"] for field in error["details"]["fields"]} == fields
    assert all(field["message"] for field in error["details"]["fields"])
    assert HIDDEN not in response.text
    assert "`z`" not in response.text


async def test_text_that_is_no_json_is_malformed_and_not_repeated(client: httpx.AsyncClient) -> None:
    response = await client.post("/body", content=f'{{"{HIDDEN}', headers={"Content-Type": "application/json"})

    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_request")
    assert HIDDEN not in response.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/nowhere", 404, "no_such_route"), ("DELETE", "/body", 405, "method_not_allowed")],
)
async def test_the_frameworks_own_errors_have_the_same_shape(
    method: str, path: str, status: int, code: str, client: httpx.AsyncClient
) -> None:
    response = await client.request(method, path)

    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.json()["error"]["trace_id"] == response.headers["X-Trace-Id"]


async def test_a_body_too_large_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/body", content=b"x" * 300_000, headers={"Content-Type": "application/json"})

    assert (response.status_code, response.json()["error"]["code"]) == (413, "body_too_large")


async def test_half_a_body_is_never_taken_for_a_whole_one() -> None:
    half: list[Message] = [{"type": "http.request", "body": b"", "more_body": True}, {"type": "http.disconnect"}]
    scope = {"type": "http", "method": "POST", "path": "/optional", "query_string": b"", "headers": []}
    sent: list[Message] = []

    async def receive() -> Message:
        return half.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)

    assert (sent, TAKEN) == ([], [])


@pytest.mark.parametrize(
    ("header", "value", "trace"),
    [
        (
            "X-Amzn-Trace-Id",
            "Root=1-67891233-abcdef012345678912345678;Sampled=1",
            "1-67891233-abcdef012345678912345678",
        ),
        (
            "X-Amzn-Trace-Id",
            "Self=1-0-0;Root=1-67891233-abcdef012345678912345678",
            "1-67891233-abcdef012345678912345678",
        ),
        ("traceparent", "00-" + "a1" * 16 + "-" + "b2" * 8 + "-01", "a1" * 16),
    ],
)
async def test_the_callers_trace_goes_on(header: str, value: str, trace: str, client: httpx.AsyncClient) -> None:
    response = await client.get("/trace", headers={header: value})

    assert response.headers["X-Trace-Id"] == response.json() == trace


@pytest.mark.parametrize(
    ("header", "value"),
    [("X-Amzn-Trace-Id", "Root=<script>"), ("traceparent", "00-zz-b2-01"), ("traceparent", "x" * 500), ("Via", "1")],
)
async def test_without_a_usable_trace_one_begins_here(header: str, value: str, client: httpx.AsyncClient) -> None:
    first, second = [await client.get("/trace", headers={header: value}) for _ in range(2)]

    assert re.fullmatch("[0-9a-f]{32}", first.headers["X-Trace-Id"])
    assert first.headers["X-Trace-Id"] == first.json() != second.json()
    assert trace_id.get() == ""


async def test_every_response_is_safe_to_handle(client: httpx.AsyncClient) -> None:
    response = await client.get("/trace", headers={"Origin": "https://acme.example"})

    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert "X-Trace-Id" in response.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(("environment", "status"), [("dev", 200), ("local", 200), ("staging", 404), ("prod", 404)])
async def test_the_documentation_is_open_in_development_only(environment: str, status: int) -> None:
    documented = create_app("Test", environment=environment)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(documented), base_url="https://api.example") as client:
        assert [(await client.get(path)).status_code for path in ("/docs", "/openapi.json")] == [status, status]
