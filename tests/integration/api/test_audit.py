"""The audit log over HTTP: every change is told, no secret is, and admins and owners read it."""

import csv
import io
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest

from local.configuration import DATABASE
from tests.integration.api.clients import PASSWORD, WEBSITE, Caller, Company, granted, logged_in, refused
from tests.integration.api.conftest import Mailbox, OpenCompany
from tests.integration.api.test_isolation import (
    CONFIGURATION,
    KNOWLEDGE_SOURCE,
    MCP_SERVER,
    ROUTES,
    TOOL,
    Party,
    filled,
    party,
)
from tests.stack import RunningStack

CHANGING = ("POST", "PUT", "PATCH", "DELETE")

# Routes that change nothing which the log tells of, and why.
NOT_TOLD = {
    ("POST", "/v1/auth/refresh"): "a session goes on",
    ("POST", "/v1/auth/invitations/look"): "reads",
    ("POST", "/v1/knowledge/search"): "reads",
    ("POST", "/v1/embed"): "reads",
    ("POST", "/v1/data-requests/verify"): "reads",
    ("POST", "/v1/assistants/{assistant_id}/test"): "asks a model",
    ("POST", "/v1/knowledge-sources/{source_id}/test"): "asks a knowledge base",
    ("POST", "/v1/mcp-servers/{server_id}/refresh"): "asks a server",
    ("POST", "/v1/widgets/{key}/token"): "a visitor comes",
    ("POST", "/v1/chat"): "part of a conversation",
    ("POST", "/v1/chat/stream"): "part of a conversation",
    ("POST", "/v1/chat/{message_id}/cancel"): "part of a conversation",
    ("POST", "/v1/messages/{message_id}/feedback"): "part of a conversation",
    ("POST", "/v1/leads"): "a visitor's own words",
    ("POST", "/v1/conversations/{conversation_id}/fork"): "part of a conversation",
    ("POST", "/v1/conversations/{conversation_id}/archive"): "part of a conversation",
    ("POST", "/v1/conversations/{conversation_id}/unarchive"): "part of a conversation",
}


@dataclass(frozen=True)
class World:
    """A company that has everything, one more visitor there, a company whose owner can be spared, and an operator."""

    party: Party
    visitor_id: str
    other: Company
    operator: Caller
    mailbox: Mailbox

    @property
    def company(self) -> Company:
        return self.party.company

    @property
    def staff(self) -> Caller:
        return self.party.company.staff

    async def invitation(self, role: str = "viewer") -> tuple[str, str]:
        """The id of a new invitation and its address."""
        email = f"{role}-{secrets.token_hex(4)}@example.com"
        made = granted(await self.staff.post("/v1/invitations", {"email": email, "role": role}))
        return made["id"], email

    async def member(self, role: str = "viewer") -> dict[str, Any]:
        """The session of somebody who has just joined."""
        _, email = await self.invitation(role)
        session: dict[str, Any] = granted(await self.accept(email))
        return session

    async def accept(self, email: str) -> httpx.Response:
        body = {"token": self.mailbox.token(email, "invitation"), "password": PASSWORD}
        return await self.company.http.post("/v1/auth/invitations/accept", json=body)

    async def assistant(self) -> str:
        """The path of an assistant that nobody has talked to."""
        made = granted(await self.staff.post("/v1/assistants", CONFIGURATION))
        return f"/v1/assistants/{made['id']}"

    async def document(self) -> str:
        """The path of a document whose file has not come yet."""
        promised = granted(await self.company.promise("a.txt", 5))
        return f"/v1/documents/{promised['document']['id']}"


Act = Callable[[World], Awaitable[httpx.Response]]


async def register(world: World) -> httpx.Response:
    body = {"company": "Audited", "email": f"{secrets.token_hex(6)}@example.com", "password": PASSWORD}
    return await world.company.http.post("/v1/auth/register", json=body)


async def log_in(world: World) -> httpx.Response:
    return await world.company.http.post("/v1/auth/login", json={"email": world.company.email, "password": PASSWORD})


async def log_out(world: World) -> httpx.Response:
    token = granted(await log_in(world))["refresh_token"]
    return await world.company.http.post("/v1/auth/logout", json={"refresh_token": token})


async def log_out_everywhere(world: World) -> httpx.Response:
    session = await world.member()
    return await Caller(world.company.http, session["access_token"]).post("/v1/auth/logout-everywhere")


async def end_session(world: World) -> httpx.Response:
    session = granted(await log_in(world))
    return await world.staff.delete(f"/v1/auth/sessions/{session['session_id']}")


async def switch(world: World) -> httpx.Response:
    body = {"email": world.other.email, "role": "viewer"}
    granted(await world.staff.post("/v1/invitations", body))
    granted(await world.accept(world.other.email))
    return await world.other.staff.post("/v1/auth/switch", {"tenant_id": world.company.tenant_id})


async def change_password(world: World) -> httpx.Response:
    session = await world.member()
    body = {"current_password": PASSWORD, "new_password": f"{PASSWORD}, changed"}
    return await Caller(world.company.http, session["access_token"]).post("/v1/auth/password", body)


async def forget_password(world: World) -> httpx.Response:
    return await world.company.http.post("/v1/auth/password/forgot", json={"email": world.other.email})


async def reset_password(world: World) -> httpx.Response:
    body = {"token": world.mailbox.token(world.other.email, "reset"), "password": f"{PASSWORD}, reset"}
    return await world.company.http.post("/v1/auth/password/reset", json=body)


async def accept_invitation(world: World) -> httpx.Response:
    return await world.accept((await world.invitation())[1])


async def invite(world: World) -> httpx.Response:
    wish = {"email": f"{secrets.token_hex(6)}@example.com", "role": "viewer"}
    return await world.staff.post("/v1/invitations", wish)


async def change_member(world: World) -> httpx.Response:
    member = (await world.member())["member"]
    return await world.staff.put(f"/v1/members/{member['member_id']}", {"role": "agent"})


async def remove_member(world: World) -> httpx.Response:
    member = (await world.member())["member"]
    return await world.staff.delete(f"/v1/members/{member['member_id']}")


async def transfer_ownership(world: World) -> httpx.Response:
    """There and back again."""
    session = await world.member("admin")
    given = await world.staff.post(f"/v1/members/{session['member']['member_id']}/transfer-ownership")
    new_owner = Caller(world.company.http, session["access_token"])
    back = await new_owner.post(f"/v1/members/{world.party.ids['member_id']}/transfer-ownership")
    assert back.is_success, back.text
    return given


async def disable_account(world: World) -> httpx.Response:
    account = (await world.member())["member"]["account_id"]
    return await world.operator.post(f"/v1/operator/accounts/{account}/disable")


async def enable_account(world: World) -> httpx.Response:
    account = (await world.member())["member"]["account_id"]
    granted(await world.operator.post(f"/v1/operator/accounts/{account}/disable"))
    return await world.operator.post(f"/v1/operator/accounts/{account}/enable")


def of_operator(method: str, action: str, body: Any = None) -> Act:
    async def act(world: World) -> httpx.Response:
        return await world.operator.request(method, f"/v1/operator/tenants/{world.other.tenant_id}/{action}", json=body)

    return act


def of_assistant(method: str, action: str, *before: str, body: Any = None) -> Act:
    async def act(world: World) -> httpx.Response:
        path = await world.assistant()
        for each in before:
            granted(await world.staff.post(f"{path}/{each}", CONFIGURATION | {"name": "y"}))
        return await world.staff.request(method, f"{path}{action}", json=body)

    return act


def of_staff(method: str, path: str, body: Any) -> Act:
    async def act(world: World) -> httpx.Response:
        return await world.staff.request(method, path.format(**world.party.ids), json=body)

    return act


async def delete_document(world: World) -> httpx.Response:
    return await world.staff.delete(await world.document())


async def delete_source(world: World) -> httpx.Response:
    made = granted(await world.staff.post("/v1/knowledge-sources", KNOWLEDGE_SOURCE | {"name": "unused"}))
    return await world.staff.delete(f"/v1/knowledge-sources/{made['id']}")


async def delete_widget(world: World) -> httpx.Response:
    made = granted(await world.staff.post("/v1/widgets", {"name": "Another"}))
    return await world.staff.delete(f"/v1/widgets/{made['id']}")


async def restore_widget(world: World) -> httpx.Response:
    settings = {"name": "Another", "allowed_domains": ["localhost"]}
    widget = f"/v1/widgets/{granted(await world.staff.post('/v1/widgets', settings))['id']}"
    granted(await world.staff.put(widget, settings | {"texts": {"title": "Changed"}}))
    return await world.staff.post(f"{widget}/versions/1/restore")


async def delete_documents(world: World) -> httpx.Response:
    document_id = (await world.document()).rpartition("/")[2]
    return await world.staff.post("/v1/documents/bulk", {"action": "delete", "ids": [document_id]})


async def unblock_visitor(world: World) -> httpx.Response:
    path = f"/v1/visitors/{world.visitor_id}/block"
    granted(await world.staff.post(path, {"reason": "x"}))
    return await world.staff.delete(path)


async def cancel_erasure(world: World) -> httpx.Response:
    requests = granted(await world.staff.get("/v1/data-requests"))["requests"]
    [waiting] = [request["id"] for request in requests if request["status"] == "waiting"]
    return await world.staff.post(f"/v1/data-requests/{waiting}/cancel")


# Where the other file's bodies would change nothing of one's own, or leave nothing for the next route.
OWN: dict[tuple[str, str], Act] = {
    ("POST", "/v1/auth/register"): register,
    ("POST", "/v1/auth/login"): log_in,
    ("POST", "/v1/auth/logout"): log_out,
    ("POST", "/v1/auth/logout-everywhere"): log_out_everywhere,
    ("DELETE", "/v1/auth/sessions/{session_id}"): end_session,
    ("POST", "/v1/auth/switch"): switch,
    ("POST", "/v1/auth/password"): change_password,
    ("POST", "/v1/auth/password/forgot"): forget_password,
    ("POST", "/v1/auth/password/reset"): reset_password,
    ("POST", "/v1/auth/invitations/accept"): accept_invitation,
    ("POST", "/v1/invitations"): invite,
    ("PUT", "/v1/members/{member_id}"): change_member,
    ("DELETE", "/v1/members/{member_id}"): remove_member,
    ("POST", "/v1/members/{member_id}/transfer-ownership"): transfer_ownership,
    ("PUT", "/v1/operator/tenants/{tenant_id}/plan"): of_operator("PUT", "plan", {"plan": "paid"}),
    ("POST", "/v1/operator/tenants/{tenant_id}/suspend"): of_operator("POST", "suspend"),
    ("POST", "/v1/operator/tenants/{tenant_id}/resume"): of_operator("POST", "resume"),
    ("POST", "/v1/operator/accounts/{account_id}/disable"): disable_account,
    ("POST", "/v1/operator/accounts/{account_id}/enable"): enable_account,
    ("DELETE", "/v1/assistants/{assistant_id}"): of_assistant("DELETE", ""),
    ("POST", "/v1/assistants/{assistant_id}/default"): of_assistant("POST", "/default"),
    ("POST", "/v1/assistants/{assistant_id}/archive"): of_assistant("POST", "/archive"),
    ("POST", "/v1/assistants/{assistant_id}/unarchive"): of_assistant("POST", "/unarchive", "archive"),
    ("POST", "/v1/assistants/{assistant_id}/publish"): of_assistant(
        "POST", "/publish", "versions", body={"version": 2}
    ),
    ("PUT", "/v1/tools/{tool_id}"): of_staff("PUT", "/v1/tools/{tool_id}", TOOL | {"name": "y"}),
    ("PUT", "/v1/mcp-servers/{server_id}"): of_staff("PUT", "/v1/mcp-servers/{server_id}", MCP_SERVER | {"name": "y"}),
    ("PUT", "/v1/knowledge-sources/{source_id}"): of_staff(
        "PUT", "/v1/knowledge-sources/{source_id}", KNOWLEDGE_SOURCE | {"name": "y"}
    ),
    ("DELETE", "/v1/knowledge-sources/{source_id}"): delete_source,
    ("DELETE", "/v1/documents/{document_id}"): delete_document,
    ("POST", "/v1/documents/bulk"): delete_documents,
    ("DELETE", "/v1/visitors/{visitor_id}/block"): unblock_visitor,
    ("POST", "/v1/tenants/{tenant_id}/erase"): of_staff("POST", "/v1/tenants/{tenant_id}/erase", {"name": "Audited"}),
    ("POST", "/v1/data-requests/{request_id}/cancel"): cancel_erasure,
    ("PUT", "/v1/usage/caps"): of_staff(
        "PUT", "/v1/usage/caps", {"caps": [{"measure": "messages", "period": "day", "hard": 500}]}
    ),
}


@pytest.fixture(scope="module")
async def world(open_company: OpenCompany, mailbox: Mailbox, stack: RunningStack) -> World:
    company, other, platform = (
        await open_company("Audited"),
        await open_company("Other"),
        await open_company("Platform"),
    )
    async with await psycopg.AsyncConnection.connect(owner_url(stack), autocommit=True) as database:
        await database.execute("UPDATE accounts SET is_operator = true WHERE email = %s", [platform.email])
    granted(await platform.staff.put(f"/v1/operator/tenants/{company.tenant_id}/plan", {"plan": "paid"}))
    known = await party(company, "GENTIAN-2231")
    token = granted(await company.http.post(f"/v1/widgets/{company.widget_key}/token", headers={"Origin": WEBSITE}))
    await Caller(company.http, token["token"], WEBSITE).ask("Who are you?")
    return World(known, token["visitor_id"], other, platform.staff, mailbox)


@pytest.fixture
async def database(stack: RunningStack) -> Any:
    async with await psycopg.AsyncConnection.connect(owner_url(stack), autocommit=True) as database:
        yield database


def owner_url(stack: RunningStack) -> str:
    return stack.services.postgres.database_url(DATABASE)


async def entries(caller: Caller, **filters: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = granted(await caller.get("/v1/audit", limit=200, **filters))["entries"]
    return found


def lateness(route: tuple[str, str]) -> int:
    """What removes something comes after what changes it, and the end of a visitor with all they said comes last."""
    method, path = route
    if route in OWN:
        return 0
    return 2 if path.endswith("/erase") else int(method == "DELETE")


async def changed(world: World, route: tuple[str, str]) -> list[httpx.Response]:
    """Make the change of a route, in as many ways as are known."""
    if route in OWN:
        return [await OWN[route](world)]
    values = world.party.ids | {"email": world.company.email}
    method, template = route
    path = template.format(**values)
    return [await world.staff.request(method, path, json=filled(body, values)) for body in ROUTES[route]]


async def test_every_change_by_every_route_is_told(world: World, database: psycopg.AsyncConnection) -> None:
    """A new route that changes something needs its table audited; one that changes nothing, a reason above."""
    documented = granted(await world.company.http.get("/openapi.json"))["paths"]
    routes = {(method.upper(), path) for path, methods in documented.items() for method in methods}
    wanted = [route for route in ROUTES if route[0] in CHANGING and route not in NOT_TOLD]
    wanted.sort(key=lateness)

    assert set(NOT_TOLD) | set(OWN) <= routes
    answers = {route: await changed(world, route) for route in wanted}

    cursor = await database.execute("SELECT DISTINCT trace_id FROM audit_log")
    told = {trace for (trace,) in await cursor.fetchall()}
    made = {route: [each for each in given if each.is_success] for route, given in answers.items()}
    refusals = {route: [each.text for each in answers[route]] for route in wanted if not made[route]}
    assert refusals == {}, f"no change was made: {refusals}"
    silent = [route for route in wanted if not told & {each.headers["x-trace-id"] for each in made[route]}]
    assert silent == [], "a change was made and not told"


async def test_a_change_is_told_with_who_made_it_and_how_it_was_before(world: World) -> None:
    path = f"/v1/tools/{granted(await world.staff.post('/v1/tools', TOOL | {'name': 'before'}))['id']}"

    changed = await world.company.server.put(path, TOOL | {"name": "after", "headers": {"authorization": "hush"}})

    [entry] = await entries(world.staff, text="after", action="tool.changed")
    assert entry["actor"]["kind"] == "key"
    assert entry["actor"]["name"] == "Server"
    assert (entry["object"], entry["object_name"]) == ("tool", "after")
    assert entry["changes"]["name"] == {"before": "before", "after": "after"}
    assert entry["changes"]["secret"]["after"] == "(hidden)"
    assert entry["trace_id"] == changed.headers["x-trace-id"]
    assert entry["network"] is None  # this computer's own address is no network


async def test_a_log_in_that_failed_is_told_to_the_company(world: World) -> None:
    body = {"email": world.company.email, "password": "not the password"}

    failed = await world.company.http.post("/v1/auth/login", json=body)

    refused(failed, 401, "wrong_credentials")
    newest = (await entries(world.staff, action="session.refused"))[0]
    assert (newest["actor"]["kind"], newest["actor"]["id"]) == ("anonymous", None)
    assert newest["object_id"] == world.party.ids["account_id"]
    assert newest["trace_id"] == failed.headers["x-trace-id"]


async def test_no_secret_and_nothing_that_was_said_or_uploaded_stands_in_the_log(
    open_company: OpenCompany, mailbox: Mailbox, database: psycopg.AsyncConnection
) -> None:
    company, hush = await open_company("Discreet"), "zanzibar-4711"
    staff, http = company.staff, company.http
    sent = {"authorization": hush}
    made = [
        await staff.post("/v1/tools", TOOL | {"headers": sent, "url": f"https://x.example.com/?key={hush}"}),
        await staff.post(
            "/v1/mcp-servers", MCP_SERVER | {"headers": sent, "url": f"http://127.0.0.1:9/mcp?key={hush}"}
        ),
        await staff.post("/v1/knowledge-sources", KNOWLEDGE_SOURCE | {"api_key": hush}),
        await staff.post("/v1/assistants", CONFIGURATION | {"access_token": hush}),
        await staff.post("/v1/keys", {"kind": "secret", "name": "x"}),
        await staff.post("/v1/identity-secrets"),
    ]
    email = f"{secrets.token_hex(6)}@example.com"
    granted(await staff.post("/v1/invitations", {"email": email, "role": "viewer"}))
    invitation = mailbox.token(email, "invitation")
    joined = granted(
        await http.post("/v1/auth/invitations/accept", json={"token": invitation, "password": f"{hush} {hush}"})
    )
    person = Caller(http, joined["access_token"])
    passwords = {"current_password": f"{hush} {hush}", "new_password": f"{hush} {hush} {hush}"}
    assert (await person.post("/v1/auth/password", passwords)).is_success
    assert (await http.post("/v1/auth/password/forgot", json={"email": email})).is_success
    reset = mailbox.token(email, "reset")
    assert (await http.post("/v1/auth/password/reset", json={"token": reset, "password": f"{hush}{hush}"})).is_success
    await company.upload("a.txt", hush.encode())
    token = granted(await http.post(f"/v1/widgets/{company.widget_key}/token", headers={"Origin": WEBSITE}))
    answer = await Caller(http, token["token"], WEBSITE).ask(hush, metadata={"note": hush})
    instructions = f"/v1/conversations/{answer['conversation_id']}/instructions"
    granted(await staff.put(instructions, {"instructions": hush}))
    granted(await staff.post(f"/v1/visitors/{token['visitor_id']}/block", {"reason": hush}))
    texts = [granted(each) for each in made]

    cursor = await database.execute("SELECT l::text FROM audit_log l WHERE tenant_id = %s", [company.tenant_id])
    lines = [line for (line,) in await cursor.fetchall()]

    assert len(lines) > 20
    issued = [company.secret_key, company.widget_key, texts[4]["key"], texts[5]["secret"], invitation, reset]
    for secret in (hush, hush.encode().hex(), PASSWORD, *issued, joined["access_token"], joined["refresh_token"]):
        assert [line for line in lines if secret in line] == []


async def test_pages_follow_each_other_and_a_file_holds_the_same(world: World) -> None:
    since = (await entries(world.staff))[0]["at"]
    for number in range(3):
        granted(
            await world.staff.put(
                f"/v1/tenants/{world.company.tenant_id}/chunking", {"tokens": 200 + number, "overlap": 0}
            )
        )

    pages: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"limit": 2, "action": "tenant", "since": since}
    while True:
        page = granted(await world.staff.get("/v1/audit", **asked))
        pages += page["entries"]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]
    lines = await world.staff.get("/v1/audit/export", format="jsonl", action="tenant", since=since)
    table = await world.staff.get("/v1/audit/export", action="tenant", since=since)

    told = [json.loads(line)["id"] for line in lines.text.splitlines()]
    assert [entry["id"] for entry in pages] == told
    assert [row["id"] for row in csv.DictReader(io.StringIO(table.text))] == told
    assert len(told) >= 3
    assert lines.headers["content-disposition"] == 'attachment; filename="audit.jsonl"'
    assert table.headers["content-type"].startswith("text/csv")
    assert [entry["action"] for entry in await entries(world.staff, object="audit")][:2] == ["audit.exported"] * 2


@pytest.mark.parametrize("cursor", ["x", "WyJ4Il0", "WyIyMDI2LTAxLTAxIiwieCJd", "WzEsMl0"])
async def test_a_cursor_that_is_none_is_refused(world: World, cursor: str) -> None:
    refused(await world.staff.get("/v1/audit", cursor=cursor), 400, "invalid_cursor")


async def test_admins_read_it_and_those_below_do_not(world: World) -> None:
    admin, agent = await world.member("admin"), await world.member("agent")

    granted(await Caller(world.company.http, admin["access_token"]).get("/v1/audit"))
    for path in ("/v1/audit", "/v1/audit/export"):
        refused(await Caller(world.company.http, agent["access_token"]).get(path), 403, "role_required")
        refused(await world.party.visitor.get(path), 401, "token_invalid")


async def test_nobody_reads_the_log_of_another_company(world: World, open_company: OpenCompany) -> None:
    other = await open_company("Curious")

    seen = await other.staff.get("/v1/audit", limit=200, object_id=world.party.ids["assistant_id"])
    exported = await other.staff.get("/v1/audit/export", format="jsonl")

    assert granted(seen)["entries"] == []
    assert world.party.secret not in exported.text


async def test_sessions_are_told_by_the_person_they_are_of(world: World) -> None:
    session = await logged_in(world.company.http, world.company.email)

    [opened] = await entries(world.staff, object_id=session["session_id"])

    assert opened["action"] == "session.opened"
    assert opened["actor"] == {
        "kind": "member",
        "id": world.party.ids["account_id"],
        "name": world.company.email,
    }
