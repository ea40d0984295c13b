"""Which websites' pages may call, and read what is answered."""

import httpx
import pytest

from chatconnect.domain.errors import Forbidden, Unavailable
from chatconnect.http.application import create_app

SITE, ELSEWHERE = "https://acme.example", "https://evil.example"


async def check_website(origin: str, path: str) -> None:
    if path == "/away":
        raise Unavailable("the database")
    if path.startswith("/widget") and origin != SITE:
        raise Forbidden("not here", code="origin_not_allowed")


app = create_app("Test", environment="prod", check_website=check_website)


@app.get("/widget")
@app.post("/widget")
async def widget() -> str:
    return "here"


@app.get("/bug")
async def bug() -> None:
    raise RuntimeError


async def preflight(client: httpx.AsyncClient, origin: str, path: str = "/widget") -> httpx.Response:
    return await client.options(path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})


async def test_a_preflight_of_the_right_website_is_allowed(client: httpx.AsyncClient) -> None:
    response = await preflight(client, SITE)

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == SITE
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
    assert response.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    "origin", [ELSEWHERE, "null", "https://acme.example.evil.example", "https://acme.example/x", "x"]
)
async def test_a_preflight_of_another_website_is_refused(client: httpx.AsyncClient, origin: str) -> None:
    response = await preflight(client, origin)

    assert response.status_code == 403
    assert response.json()["error"]["code"] in ("origin_not_allowed", "origin_required")
    assert response.json()["error"]["trace_id"] == response.headers["X-Trace-Id"] != ""
    assert "Access-Control-Allow-Origin" not in response.headers
    assert response.headers["Vary"] == "Origin"


async def test_a_preflight_that_cannot_be_decided_is_not_allowed(client: httpx.AsyncClient) -> None:
    response = await preflight(client, SITE, "/away")

    assert response.status_code == 503
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize("path", ["/widget", "/nowhere", "/bug"])
async def test_whoever_asks_may_read_the_answer_and_every_error(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path, headers={"Origin": ELSEWHERE})

    assert response.headers["Access-Control-Allow-Origin"] == ELSEWHERE
    assert "Retry-After" in response.headers["Access-Control-Expose-Headers"]
    assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "null"}, {"Origin": "https://[::1"}, {"Origin": "chrome-extension://x"}]
)
async def test_without_a_website_nobody_is_named_but_caches_still_tell_them_apart(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await client.get("/widget", headers=headers)

    assert response.text == '"here"'
    assert "Access-Control-Allow-Origin" not in response.headers
    assert response.headers["Vary"] == "Origin"
