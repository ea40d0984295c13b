"""Keys with scopes and ends, their rotation, and the websites that may call with them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.integration.api.clients import WEBSITE, Caller, Company, granted, refused
from tests.integration.api.conftest import OpenCompany
from tests.waiting import until

QUESTION = "How do parcels get to Iceland?"
ELSEWHERE = "https://evil.example"


async def made(company: Company, **wish: Any) -> dict[str, Any]:
    key: dict[str, Any] = granted(await company.staff.post("/v1/keys", {"kind": "secret", "name": "A key", **wish}))
    return key


async def listed(company: Company, key: dict[str, Any]) -> dict[str, Any]:
    keys = granted(await company.staff.get("/v1/keys"))["keys"]
    found: dict[str, Any] = next(each for each in keys if each["id"] == key["id"])
    return found


def caller(company: Company, key: dict[str, Any]) -> Caller:
    return Caller(company.http, key["key"])


async def preflight(company: Company, path: str, origin: str) -> httpx.Response:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    return await company.http.options(path, headers={"Origin": origin} | asked)


# Scopes


async def test_a_key_that_may_chat_opens_no_other_route(company: Company) -> None:
    server = caller(company, await made(company, scopes=["chat"]))
    routes = granted(await company.http.get("/openapi.json"))["paths"]
    secured = [
        (method.upper(), path)
        for path, methods in routes.items()
        for method, operation in methods.items()
        if operation.get("security") and not path.startswith("/v1/chat")
    ]

    answers = {}
    for method, path in secured:
        answer = await server.request(method, path.replace("{", "").replace("}", ""))
        answers[method, path] = answer.status_code

    assert len(secured) > 40
    assert {route: status for route, status in answers.items() if status not in (401, 403)} == {}
    assert (await server.ask(QUESTION))["text"]


async def test_a_key_reads_with_a_scope_for_reading_and_writes_with_one_for_writing(company: Company) -> None:
    server = caller(company, await made(company, scopes=["knowledge:read", "usage:read"]))

    for good in (
        await server.get("/v1/documents"), await server.post("/v1/knowledge/search", {"query": QUESTION}),
        await server.get("/v1/usage"),
    ):  # fmt: skip
        granted(good)
    upload = {"filename": "a.txt", "content_type": "text/plain", "size": 5}
    error = refused(await server.post("/v1/documents", upload), 403, "scope_required")
    assert error["details"] == {"scopes": ["knowledge:write"]}
    refused(await server.post("/v1/chat", {"message": QUESTION}), 403, "scope_required")
    refused(await server.put("/v1/usage/caps", {"caps": []}), 403, "scope_required")


async def test_a_key_makes_none_that_may_do_more(company: Company) -> None:
    server = caller(company, await made(company, scopes=["config:write", "chat"]))
    keys = granted(await company.staff.get("/v1/keys"))["keys"]
    whole = next(key for key in keys if len(key["scopes"]) > 5 and not key["revoked_at"])

    granted(await server.post("/v1/keys", {"kind": "secret", "name": "Less", "scopes": ["chat"]}))
    refused(await server.post("/v1/keys", {"kind": "secret", "name": "More"}), 403, "scope_required")
    refused(await server.post(f"/v1/keys/{whole['id']}/rotate"), 403, "scope_required")


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"scopes": []}, "invalid_scopes"),
        ({"scopes": ["everything"]}, "invalid_request"),
        ({"kind": "publishable", "scopes": ["config:read"]}, "invalid_scopes"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "invalid_request"),
        ({"expires_at": "2999-01-01T00:00:00"}, "invalid_request"),
    ],
)
async def test_a_wish_with_a_mistake_is_refused(company: Company, wish: dict[str, Any], code: str) -> None:
    refused(await company.staff.post("/v1/keys", {"kind": "secret", "name": "x"} | wish), 400, code)


async def test_a_key_for_one_assistant_lets_chat_with_that_one(open_company: OpenCompany) -> None:
    company = await open_company("Initech")
    bound = caller(company, await made(company, assistant_id=company.assistant_id))

    answer = await bound.ask(QUESTION)
    again = await bound.ask(QUESTION, conversation_id=answer["conversation_id"])

    assert again["conversation_id"] == answer["conversation_id"]
    refused(await bound.get("/v1/conversations"), 403, "scope_required")
    refused(await bound.get(f"/v1/assistants/{company.assistant_id}"), 403, "scope_required")


# Ends


async def test_both_keys_of_a_rotation_work_until_the_overlap_is_over(company: Company) -> None:
    old = await made(company, scopes=["knowledge:read"])
    end = datetime.now(UTC) + timedelta(hours=48)

    new = granted(await company.staff.post(f"/v1/keys/{old['id']}/rotate", {"overlap_hours": 48}))

    for key in (old, new):
        granted(await caller(company, key).get("/v1/documents"))
    replaced = await listed(company, old)
    assert (new["name"], new["scopes"], replaced["replaced_by"]) == (old["name"], old["scopes"], new["id"])
    assert abs(datetime.fromisoformat(replaced["expires_at"]) - end) < timedelta(minutes=1)
    refused(await company.staff.post(f"/v1/keys/{old['id']}/rotate"), 409, "key_rotated")


async def test_a_revoked_or_replaced_key_is_refused_everywhere_at_the_next_request(company: Company) -> None:
    first, second = await made(company), await made(company)
    server = [caller(company, first), caller(company, second)]
    for each in server * 3:  # until every function keeps them
        granted(await each.get("/v1/documents"))
        await each.ask(QUESTION)

    granted(await company.staff.post(f"/v1/keys/{first['id']}/rotate", {"overlap_hours": 0}))
    assert (await company.staff.delete(f"/v1/keys/{second['id']}")).status_code == 204

    for each in server:
        refused(await each.get("/v1/documents"), 401, "key_revoked")
        refused(await each.post("/v1/chat", {"message": QUESTION}), 401, "key_revoked")


async def test_a_widgets_key_can_be_rotated_while_it_is_on_websites(open_company: OpenCompany) -> None:
    company = await open_company("Hooli")
    [widget_key] = [key for key in granted(await company.staff.get("/v1/keys"))["keys"] if key["kind"] == "publishable"]
    path = f"/v1/widgets/{company.widget_key}/config"
    for _ in range(3):
        granted(await company.http.get(path, headers={"Origin": WEBSITE}))

    new = granted(await company.staff.post(f"/v1/keys/{widget_key['id']}/rotate", {"overlap_hours": 1}))

    for key in (company.widget_key, new["key"]):
        granted(await company.http.get(f"/v1/widgets/{key}/config", headers={"Origin": WEBSITE}))
    assert (await company.staff.delete(f"/v1/keys/{widget_key['id']}")).status_code == 204
    refused(await company.http.get(path, headers={"Origin": WEBSITE}), 401, "key_revoked")


async def test_a_chat_token_ends_with_the_key_that_it_was_given_for(open_company: OpenCompany) -> None:
    company = await open_company("Hooli")
    [key] = [key for key in granted(await company.staff.get("/v1/keys"))["keys"] if key["kind"] == "publishable"]
    visitor = await company.visitor()
    answers = [await visitor.ask(QUESTION) for _ in range(2)]  # until every function keeps the key
    granted(await visitor.get("/v1/conversations"))

    assert (await company.staff.delete(f"/v1/keys/{key['id']}")).status_code == 204

    for path in ("/v1/chat", "/v1/chat/stream"):
        refused(await visitor.post(path, {"message": QUESTION}), 401, "key_revoked")
    refused(await visitor.get(f"/v1/chat/stream/{answers[0]['message_id']}"), 401, "key_revoked")
    refused(await visitor.get("/v1/conversations"), 401, "key_revoked")
    refused(await visitor.post("/v1/leads", {"widget_id": company.widget_id, "fields": {}}), 401, "key_revoked")


async def test_a_key_shows_when_it_was_last_used(company: Company) -> None:
    key, before = await made(company), datetime.now(UTC)
    assert key["last_used_at"] is None

    await caller(company, key).ask(QUESTION)

    async def last_used() -> Any:
        return (await listed(company, key))["last_used_at"]

    used = await until(last_used)
    assert abs(datetime.fromisoformat(used) - before) < timedelta(minutes=1)


# Websites


async def test_a_change_of_the_allowed_domains_holds_from_the_next_request_on(open_company: OpenCompany) -> None:
    company = await open_company("Umbrella")
    path = f"/v1/widgets/{company.widget_key}/config"
    [widget] = granted(await company.staff.get("/v1/widgets"))["widgets"]
    for _ in range(3):
        granted(await company.http.get(path, headers={"Origin": WEBSITE}))

    granted(
        await company.staff.put(f"/v1/widgets/{widget['id']}", widget | {"allowed_domains": ["*.umbrella.example"]})
    )

    refused(await company.http.get(path, headers={"Origin": WEBSITE}), 403, "origin_not_allowed")
    refused(await company.http.get(path, headers={"Origin": "https://umbrella.example"}), 403, "origin_not_allowed")
    granted(await company.http.get(path, headers={"Origin": "https://shop.umbrella.example"}))
    granted(await company.staff.put(f"/v1/widgets/{widget['id']}", widget | {"allowed_domains": []}))
    refused(
        await company.http.get(path, headers={"Origin": "https://shop.umbrella.example"}), 403, "origin_not_allowed"
    )


async def test_a_preflight_is_answered_for_the_widget_that_it_is_about(company: Company) -> None:
    path = f"/v1/widgets/{company.widget_key}/token"

    allowed = await preflight(company, path, WEBSITE)
    unknown = await preflight(company, path.replace(company.widget_key, "pk_live_" + "a" * 54), WEBSITE)

    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, WEBSITE)
    assert allowed.headers["vary"] == "Origin"
    refused(await preflight(company, path, ELSEWHERE), 403, "origin_not_allowed")
    refused(await preflight(company, path, "null"), 403, "origin_required")
    refused(unknown, 401, "unknown_key")
    for refusal in (await preflight(company, path, ELSEWHERE), unknown):
        assert "access-control-allow-origin" not in refusal.headers


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream", "/v1/conversations"])
async def test_the_chat_may_be_asked_by_websites_alone(company: Company, path: str) -> None:
    allowed = await preflight(company, path, WEBSITE)

    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, WEBSITE)
    refused(await preflight(company, path, "null"), 403, "origin_required")
    elsewhere = Caller(company.http, (await company.visitor()).credential, ELSEWHERE)
    error = await elsewhere.post(path, {"message": QUESTION}) if "chat" in path else await elsewhere.get(path)
    refused(error, 403, "origin_not_allowed")
    assert error.headers["access-control-allow-origin"] == ELSEWHERE
