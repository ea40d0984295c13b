"""From headers to principals."""

import httpx
import pytest

from chatconnect.http.authentication import Admin, Agent, CurrentAsker, CurrentReader, CurrentStaff, Viewer, Website
from tests.unit.http.known import an_app

SITE = {"Origin": "https://acme.example"}

app = an_app()


@app.get("/asker")
@app.post("/asker")
@app.post("/v1/chat")
async def asker(who: CurrentAsker) -> str:
    return type(who).__name__


@app.get("/reader")
@app.get("/v1/conversations")
async def reader(who: CurrentReader) -> str:
    return "all" if who.visitor_id is None else "own"


@app.get("/staff")
async def staff(who: CurrentStaff) -> str:
    return who.role


@app.get("/viewer")
@app.post("/v1/knowledge/search")
async def viewer(who: Viewer) -> str:
    return type(who).__name__


@app.get("/agent")
async def agent(who: Agent) -> str:
    return type(who).__name__


@app.get("/admin")
@app.get("/v1/documents")
@app.post("/v1/documents")
@app.get("/v1/keys")
async def admin(who: Admin) -> str:
    return type(who).__name__


@app.get("/website")
async def website(origin: Website) -> str | None:
    return origin


async def outcome(client: httpx.AsyncClient, path: str, token: str | None, **headers: str) -> object:
    """What a GET says, or the status and code of its refusal; a header is named with underscores."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    return said(await client.get(path, headers=sent))


def said(response: httpx.Response) -> object:
    return response.json() if response.is_success else (response.status_code, response.json()["error"]["code"])


@pytest.mark.parametrize("path", ["/asker", "/reader", "/staff", "/viewer", "/agent", "/admin"])
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dXNlcjp3b3Jk", "visitor"])
async def test_nobody_gets_in_without_a_bearer_credential(
    path: str, header: str | None, client: httpx.AsyncClient
) -> None:
    response = await client.get(path, headers={} if header is None else {"Authorization": header})

    assert said(response) == (401, "unauthenticated")


@pytest.mark.parametrize("path", ["/asker", "/reader", "/staff", "/viewer", "/agent", "/admin"])
@pytest.mark.parametrize("token", ["forged", "sk_live_unknown", "pk_live_whatever"])
async def test_a_credential_that_nobody_gave_out_opens_nothing(
    path: str, token: str, client: httpx.AsyncClient
) -> None:
    assert await outcome(client, path, token) in [(401, "token_invalid"), (401, "unknown_key")]


async def test_a_visitor_asks_from_their_website_and_a_server_from_anywhere(client: httpx.AsyncClient) -> None:
    assert await outcome(client, "/asker", "visitor", **SITE) == "Visitor"
    assert await outcome(client, "/asker", "visitor", Origin="https://ACME.example") == "Visitor"
    assert await outcome(client, "/asker", "sk_live_good") == "Server"
    assert await outcome(client, "/asker", "sk_live_good", Origin="https://evil.example") == "Server"


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "http://acme.example", "https://acme.example:8443", "null", "https://[::1", "nonsense",
     "https://acme.example.evil.org"],
)  # fmt: skip
async def test_a_visitors_pass_works_on_no_other_website(origin: str, client: httpx.AsyncClient) -> None:
    assert await outcome(client, "/asker", "visitor", Origin=origin) == (403, "origin_not_allowed")
    assert await outcome(client, "/reader", "visitor", Origin=origin) == (403, "origin_not_allowed")


async def test_without_a_website_a_visitor_may_read_but_not_write(client: httpx.AsyncClient) -> None:
    headers = {"Authorization": "Bearer visitor"}

    assert said(await client.get("/asker", headers=headers)) == "Visitor"
    assert said(await client.post("/asker", headers=headers)) == (403, "origin_required")
    assert said(await client.post("/asker", headers=headers | SITE)) == "Visitor"


async def test_a_visitor_reads_their_own_and_the_tenants_side_reads_all(client: httpx.AsyncClient) -> None:
    assert await outcome(client, "/reader", "visitor", **SITE) == "own"
    assert await outcome(client, "/reader", "viewer") == "all"
    assert await outcome(client, "/reader", "sk_live_good") == "all"
    assert await outcome(client, "/reader", "old-visitor") == (401, "token_expired")


@pytest.mark.parametrize(
    ("token", "open_to"),
    [
        ("owner", {"/viewer", "/agent", "/admin"}),
        ("admin", {"/viewer", "/agent", "/admin"}),
        ("agent", {"/viewer", "/agent"}),
        ("viewer", {"/viewer"}),
        ("sk_live_good", {"/viewer", "/agent", "/admin"}),
    ],
)
async def test_each_role_opens_its_own_doors(token: str, open_to: set[str], client: httpx.AsyncClient) -> None:
    outcomes = {path: await outcome(client, path, token) for path in ("/viewer", "/agent", "/admin")}

    assert {path for path, result in outcomes.items() if isinstance(result, str)} == open_to
    refused = [result for result in outcomes.values() if not isinstance(result, str)]
    assert refused == [(403, "role_required")] * (3 - len(open_to))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/documents", True),
        ("POST", "/v1/knowledge/search", True),
        ("GET", "/v1/conversations", True),
        ("POST", "/v1/documents", False),
        ("GET", "/v1/keys", False),
        ("POST", "/v1/chat", False),
        ("GET", "/viewer", False),  # a route that nobody has listed
    ],
)
async def test_a_key_with_few_scopes_opens_few_routes(
    method: str, path: str, allowed: bool, client: httpx.AsyncClient
) -> None:
    answers = {
        key: said(await client.request(method, path, headers={"Authorization": f"Bearer {key}"}))
        for key in ("sk_live_good", "sk_live_narrow")
    }

    assert answers["sk_live_good"] in ("Server", "all")
    assert answers["sk_live_narrow"] == (answers["sk_live_good"] if allowed else (403, "scope_required"))


async def test_a_host_that_looks_like_a_path_widens_no_key(client: httpx.AsyncClient) -> None:
    headers = {"Authorization": "Bearer sk_live_narrow", "Host": "acme.example/v1/documents?"}

    assert said(await client.get("/v1/keys", headers=headers)) == (403, "scope_required")


async def test_a_visitors_pass_and_a_servers_key_are_no_staff_pass(client: httpx.AsyncClient) -> None:
    for path in ("/staff", "/viewer", "/admin"):
        assert await outcome(client, path, "visitor", **SITE) == (401, "token_invalid")
    assert await outcome(client, "/staff", "sk_live_good") == (401, "token_invalid")


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({"Origin": "https://a.example"}, "https://a.example"),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, "null"),
        ({"Sec-Fetch-Site": "same-origin"}, "https://acme.example"),
        ({"Sec-Fetch-Site": "cross-site"}, None),
        ({}, None),
    ],
)
async def test_the_website_is_what_the_browser_says(
    headers: dict[str, str], origin: str | None, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/website", headers=headers)).json() == origin
