"""Who is signed in and whose program asks, from a request's headers; and where the refresh token travels."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, Request

from chatconnect.domain.principals import SignedIn
from chatconnect.domain.secret import Secret
from chatconnect.http.sessions import (
    CallingClient,
    Cookie,
    CurrentPerson,
    MemberAdmin,
    MemberOfStaff,
    MemberOwner,
    current_operator,
)
from tests.unit.http.known import an_app

app = an_app()


@app.get("/person")
async def person(who: CurrentPerson) -> str:
    return who.email


@app.get("/operator")
async def operator(who: Annotated[SignedIn, Depends(current_operator)]) -> str:
    return who.email


@app.get("/viewer")
async def viewer(who: MemberOfStaff) -> str:
    return who.role


@app.get("/admin")
async def admin(who: MemberAdmin) -> str:
    return who.role


@app.get("/owner")
async def owner(who: MemberOwner) -> str:
    return who.role


@app.get("/client")
async def client(who: CallingClient) -> dict[str, Any]:
    return {"address": who.address, "device": who.device}


@app.post("/give")
async def give(cookie: Cookie) -> str | None:
    return cookie.give(Secret("rt_secret"))


@app.post("/read")
async def read(cookie: Cookie, request: Request) -> list[str | None]:
    token = cookie.read()
    return [token.reveal() if token else None, request.cookies.get("chatconnect_refresh")]


def program(address: str = "203.0.113.7", base_url: str = "https://chat.example") -> httpx.AsyncClient:
    """A program that asks from an address."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 1)), base_url=base_url)


async def outcome(path: str, token: str) -> object:
    async with program() as asking:
        response = await asking.get(path, headers={"Authorization": f"Bearer {token}"})
    return response.json() if response.is_success else response.json()["error"]["code"]


@pytest.mark.parametrize(
    ("token", "open_to"),
    [
        ("owner", {"/person", "/viewer", "/admin", "/owner"}),
        ("admin", {"/person", "/viewer", "/admin"}),
        ("agent", {"/person", "/viewer"}),
        ("viewer", {"/person", "/viewer"}),
        ("operator", {"/person", "/viewer", "/operator"}),
        ("suspended", {"/person"}),
        ("sk_live_whatever", set()),
    ],
)
async def test_each_opens_their_own_doors(token: str, open_to: set[str]) -> None:
    paths = ("/person", "/viewer", "/admin", "/owner", "/operator")
    outcomes = {path: await outcome(path, token) for path in paths}

    refusals = {"role_required", "operator_required", "tenant_suspended", "token_invalid"}
    assert {path for path, said in outcomes.items() if said not in refusals} == open_to


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [("203.0.113.7", "203.0.113.7"), ("2001:db8::7", "2001:db8::7"), ("127.0.0.1", None), ("::1", None), ("", None),
     ("testclient", "testclient")],
)  # fmt: skip
async def test_the_address_is_the_connections_and_this_computers_own_is_none(
    address: str, counted_as: str | None
) -> None:
    async with program(address) as asking:
        headers = {"User-Agent": "Firefox", "X-Forwarded-For": "198.51.100.9"}
        assert (await asking.get("/client", headers=headers)).json() == {"address": counted_as, "device": "Firefox"}


async def test_a_program_that_wants_the_cookie_gets_the_token_nowhere_else() -> None:
    async with program() as asking:
        given = await asking.post("/give", headers={"X-Session": "cookie"})
        with_header = await asking.post(
            "/read", headers={"X-Session": "cookie", "Cookie": "chatconnect_refresh=rt_secret"}
        )
        without = await asking.post("/read", headers={"Cookie": "chatconnect_refresh=rt_secret"})

    assert given.json() is None
    parts = set(given.headers["set-cookie"].split("; "))
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/v1/auth", "Max-Age=1209600"} <= parts
    assert with_header.json() == ["rt_secret", "rt_secret"]
    assert without.json() == [None, "rt_secret"]


async def test_any_other_program_gets_the_token_in_the_answer_and_no_cookie() -> None:
    async with program() as asking:
        given = await asking.post("/give")
        odd = await asking.post("/give", headers={"X-Session": "both"})

    assert (given.json(), "set-cookie" in given.headers) == ("rt_secret", False)
    assert odd.status_code == 400


async def test_on_a_developers_machine_the_cookie_does_without_tls() -> None:
    async with program("127.0.0.1", "http://127.0.0.1:8000") as asking:
        given = await asking.post("/give", headers={"X-Session": "cookie"})

    assert "Secure" not in given.headers["set-cookie"]
