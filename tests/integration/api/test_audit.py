"""The audit log over HTTP: every change is told, no secret is, and admins and owners read it."""

import csv
import io
import json
import secrets
from typing import Any

import psycopg
import pytest

from local.configuration import DATABASE
from tests.integration.api.changes import CHANGING, NOT_TOLD, OWN, World, changed, lateness
from tests.integration.api.clients import PASSWORD, WEBSITE, Caller, granted, logged_in, refused
from tests.integration.api.conftest import Mailbox, OpenCompany
from tests.integration.api.parties import party
from tests.integration.api.routes import CONFIGURATION, KNOWLEDGE_SOURCE, MCP_SERVER, ROUTES, TOOL
from tests.stack import RunningStack


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
