"""Bad requests: each gets its status and its stable code in the one shape, and the next request works."""

import json
import uuid
from typing import Any

import pytest

from tests.integration.api.clients import PASSWORD, Company, granted, refused
from tests.integration.api.conftest import OpenCompany

pytestmark = pytest.mark.usefixtures("the_next_request_works")
ELSEWHERE = "https://elsewhere.example"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"message": ""}, "empty_message"),
        ({"message": " \n\t\u200b "}, "empty_message"),
        ({"message": "\x00\x01"}, "empty_message"),
        ({"message": "x" * 2001}, "message_too_long"),
        ({"message": "é" * 2001}, "message_too_long"),
        ({}, "invalid_request"),
        ([], "invalid_request"),
        ("hello", "invalid_request"),
        (None, "invalid_request"),
        ({"message": 5}, "invalid_request"),
        ({"message": None}, "invalid_request"),
        ({"message": ["hello"]}, "invalid_request"),
        ({"message": "hello", "conversation_id": "7"}, "invalid_request"),
        ({"message": "hello", "conversation_id": 7}, "invalid_request"),
        ({"message": "hello", "metadata": "x"}, "invalid_request"),
        ({"message": "hello", "metadata": {"a": {"b": 1}}}, "invalid_request"),
        ({"message": "hello", "metadata": {f"k{n}": "v" for n in range(21)}}, "invalid_request"),
        ({"message": "hello", "metadata": {"k": "v" * 501}}, "invalid_request"),
        ({"message": "hello", "parent_id": str(uuid.uuid4())}, "invalid_request"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream"])
async def test_a_question_that_is_none(company: Company, path: str, body: Any, code: str) -> None:
    refused(await company.server.post(path, body), 400, code)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"[1", b"\xff\xfe", b'{"message": "\\ud800"}', b'{"message": "x\x00"}', b"[" * 5000]
)
async def test_a_body_that_is_no_json(company: Company, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    answer = await company.server.request("POST", "/v1/chat", content=content, headers=headers)

    refused(answer, 400, answer.json()["error"]["code"])
    assert answer.json()["error"]["code"] in ("invalid_request", "empty_message")


async def test_two_thousand_characters_of_any_kind_are_taken(company: Company) -> None:
    for text in ("é" * 2000, "🚀" * 2000, "\x00hel\x07lo\u202e"):
        answer = await company.server.ask(text)
        stored = (await company.server.conversation(answer["conversation_id"]))["messages"][0]["text"]
        assert stored in (text, "hello")


async def test_a_huge_body_is_refused(company: Company) -> None:
    refused(await company.server.post("/v1/chat", {"message": "x" * 1_000_000}), 413, "body_too_large")
    refused(await company.server.post("/v1/embed", {"texts": ["x" * 300_000]}), 413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "no_such_route"),
        ("GET", "/v1/chat/nothing/here", 404, "no_such_route"),
        ("GET", "/v1/widgets/x/nothing", 404, "no_such_route"),
        ("GET", "/v1/chat", 405, "method_not_allowed"),
        ("DELETE", "/v1/conversations", 405, "method_not_allowed"),
        ("PATCH", "/v1/widgets/x/config", 405, "method_not_allowed"),
        ("GET", "/v1/conversations/not-an-id", 400, "invalid_request"),
        ("GET", "/v1/chat/stream/not-an-id", 400, "invalid_request"),
        ("GET", "/v1/conversations?limit=0", 400, "invalid_request"),
        ("GET", "/v1/conversations?limit=ten", 400, "invalid_request"),
        ("GET", "/v1/conversations?before=yesterday", 400, "invalid_request"),
        ("GET", "/v1/conversations?cursor=nonsense", 400, "invalid_cursor"),
        ("GET", "/v1/documents?limit=99999999999999999999999", 400, "invalid_request"),
    ],
)
async def test_a_request_for_nothing(company: Company, method: str, path: str, status: int, code: str) -> None:
    refused(await company.server.request(method, path), status, code)


async def test_ids_of_nothing_are_not_found(company: Company) -> None:
    nothing, server = uuid.uuid4(), company.server

    for answer in (
        await server.get(f"/v1/conversations/{nothing}"),
        await server.post("/v1/chat", {"message": "hello", "conversation_id": str(nothing)}),
        await server.post("/v1/chat/stream", {"message": "hello", "conversation_id": str(nothing)}),
        await server.get(f"/v1/chat/stream/{nothing}"),
        await server.post(f"/v1/chat/{nothing}/cancel"),
        await server.post(f"/v1/messages/{nothing}/feedback", {"rating": "up"}),
        await server.get(f"/v1/documents/{nothing}"),
        await server.get(f"/v1/documents/{nothing}/chunks"),
        await server.post(f"/v1/documents/{nothing}/reprocess"),
        await server.delete(f"/v1/documents/{nothing}"),
        await server.get(f"/v1/assistants/{nothing}"),
        await server.put(f"/v1/widgets/{nothing}", {}),
        await server.delete(f"/v1/keys/{nothing}"),
        await server.post("/v1/keys", {"kind": "secret", "name": "x", "assistant_id": str(nothing)}),
    ):
        refused(answer, 404, "not_found")


async def test_errors_can_be_read_by_any_website(company: Company) -> None:
    origin = {"Origin": ELSEWHERE}
    for response in (
        await company.http.post("/v1/chat", headers=origin, json={}),
        await company.http.get("/v1/nothing", headers=origin),
        await company.http.get("/v1/chat", headers=origin),
        await company.http.get(f"/v1/widgets/{company.widget_key}/config", headers=origin),
        await company.server.request("POST", "/v1/chat", headers=origin, json={"message": ""}),
        await company.server.request("POST", "/v1/chat", headers=origin, content=b"x" * 400_000),
    ):
        assert response.is_client_error
        assert response.headers["access-control-allow-origin"] == ELSEWHERE
        assert "Origin" in response.headers["vary"]
        assert "X-Trace-Id" in response.headers["access-control-expose-headers"]
        refused(response, response.status_code, response.json()["error"]["code"])
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}
    preflight = await company.http.options("/v1/chat/stream", headers=origin | asked)
    assert preflight.status_code == 200


STRANGE = ["\x00", "a\x00b", "\ud800", "\u202e", "'; DROP TABLE tenants; --", "x" * 5_000, "{}", "%s", "\\"]


@pytest.mark.parametrize("text", STRANGE, ids=ascii)
async def test_strange_texts_are_taken_or_refused_but_never_a_fault_of_ours(company: Company, text: str) -> None:
    assistant = granted(await company.staff.get(f"/v1/assistants/{company.assistant_id}"))
    widget = granted(await company.staff.get("/v1/widgets"))["widgets"][0]
    answer = await company.server.ask("hello")
    account = {"company": "x", "email": "a@example.com", "password": PASSWORD}
    upload = {"filename": "a.txt", "content_type": "text/plain", "size": 5}
    document = f"/v1/documents/{granted(await company.promise('strange.txt', 5))['document']['id']}"
    made: list[tuple[str, str, Any]] = [
        *(("POST", "/v1/auth/register", account | {name: text}) for name in ("email", "password")),
        ("POST", "/v1/auth/register", account | {"company": text, "email": "no address"}),
        ("POST", "/v1/auth/register", account | {"allowed_domains": [text], "email": "b"}),
        *(("POST", "/v1/auth/login", account | {name: text}) for name in ("email", "password")),
        *(("POST", "/v1/documents", upload | {name: text}) for name in ("filename", "content_type", "title")),
        ("POST", "/v1/documents", upload | {"filename": f"{text}.txt"}),
        ("POST", "/v1/documents", upload | {"metadata": {text: 1, "key": text}}),
        ("PATCH", document, {"title": text}),
        ("PATCH", document, {"metadata": {text: text}}),
        ("POST", "/v1/knowledge/search", {"query": "x", "filters": {"metadata": {text: 1}}}),
        ("POST", "/v1/knowledge/search", {"query": "x", "filters": {"metadata": {"key": {"gte": text}}}}),
        ("POST", "/v1/keys", {"kind": "publishable", "name": text}),
        ("POST", "/v1/knowledge/search", {"query": text}),
        ("POST", "/v1/embed", {"texts": [text]}),
        ("POST", "/v1/chat", {"message": text}),
        ("POST", "/v1/chat", {"message": "hello", "metadata": {text: text}}),
        *(
            ("POST", f"/v1/messages/{answer['message_id']}/feedback", {"rating": "up", name: text})
            for name in ("rating", "reason", "text")
        ),
        *(
            ("PUT", f"/v1/assistants/{company.assistant_id}", assistant | {"provider": "offline", name: text})
            for name in ("name", "model", "base_url", "access_token", "system_prompt", "refusal", "provider")
        ),
        ("PUT", f"/v1/assistants/{company.assistant_id}", assistant | {"control_messages": [text]}),
        ("PUT", f"/v1/widgets/{company.widget_id}", widget | {"locale": text}),
        ("PUT", f"/v1/widgets/{company.widget_id}", widget | {"texts": {"title": text}}),
        ("PUT", f"/v1/widgets/{company.widget_id}", widget | {"suggested_questions": [text]}),
        ("PUT", f"/v1/widgets/{company.widget_id}", widget | {"theme": {"avatar_url": f"https://{text}"}}),
    ]

    outcomes = []
    for method, path, body in made:
        headers = {"Content-Type": "application/json"}
        answered = await company.staff.request(method, path, content=json.dumps(body), headers=headers)
        if answered.status_code == 401 and path == "/v1/chat":
            answered = await company.server.request(method, path, content=json.dumps(body), headers=headers)
        outcomes.append((answered.status_code, path, body))
    await company.staff.put(f"/v1/assistants/{company.assistant_id}", assistant)
    await company.staff.put(f"/v1/widgets/{company.widget_id}", widget)

    assert [outcome for outcome in outcomes if outcome[0] >= 500] == []


@pytest.mark.parametrize("number", [-1, 2**31, 2**63, 10**30])
async def test_numbers_out_of_range_are_never_a_fault_of_ours(company: Company, number: int) -> None:
    server, assistant = company.server, granted(await company.staff.get(f"/v1/assistants/{company.assistant_id}"))
    answer, chunking = await server.ask("hello"), f"/v1/tenants/{company.tenant_id}/chunking"
    document = granted(await server.get("/v1/documents"))["documents"][0]["id"]
    path = f"/v1/assistants/{company.assistant_id}"
    kept = {"Last-Event-ID": str(number)}

    outcomes = [
        await server.get(f"/v1/documents/{document}/chunks", after=number),
        await server.get(f"/v1/documents/{document}/chunks", limit=number),
        await server.get(f"/v1/documents/{document}/chunks/{number}"),
        await server.get(f"/v1/documents/{document}/download", version=number),
        await server.request("PATCH", f"/v1/documents/{document}", json={"metadata": {"a": number}}),
        await server.get("/v1/documents", metadata=f'{{"a": {{"lt": {number}}}}}'),
        await server.request("PUT", chunking, json={"tokens": number, "overlap": 0}),
        await server.request("PUT", chunking, json={"tokens": 500, "overlap": number}),
        await server.get("/v1/conversations", limit=number),
        await server.post("/v1/knowledge/search", {"query": "x", "limit": number}),
        await server.post("/v1/knowledge/search", {"query": "x", "threshold": number}),
        await server.post("/v1/documents", {"filename": "a.txt", "content_type": "", "size": number}),
        await server.put(path, assistant | {"max_tokens": number}),
        await server.put(path, assistant | {"temperature": number}),
        await server.put(path, assistant | {"history_messages": number}),
        await server.request("GET", f"/v1/chat/stream/{answer['message_id']}", headers=kept),
    ]

    assert [outcome.text for outcome in outcomes if outcome.status_code >= 500] == []
    ready = (await server.get("/health/ready")).json()
    assert ready["status"] == "ok", ready


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00", "9999-12-31T23:59:59-23:59", "1e400", "99999999999999"])
async def test_moments_out_of_range_are_never_a_fault_of_ours(company: Company, moment: str) -> None:
    for path in ("/v1/conversations", "/v1/documents"):
        assert (await company.server.get(path, before=moment)).status_code in (200, 400)
    filters = {"created_since": moment}
    found = await company.server.post("/v1/knowledge/search", {"query": "x", "filters": filters})
    assert found.status_code in (200, 400)


async def test_too_many_messages_in_a_minute_are_refused_with_when_to_come_back(open_company: OpenCompany) -> None:
    company = await open_company("Busy")
    body = {"message": "hello", "parent_id": str(uuid.uuid4())}

    answers = [await company.server.post("/v1/chat", body) for _ in range(101)]

    error = refused(answers[-1], 429, "rate_limited")
    assert error["details"]["per_minute"] == 100
    assert {answer.status_code for answer in answers[:-1]} == {400}
    await (await company.visitor()).ask("hello")
