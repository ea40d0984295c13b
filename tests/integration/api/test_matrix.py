"""Every route by every kind of caller, with the things of their own company and of another: see access.py."""

import asyncio
import secrets
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chatconnect.domain.keys import Scope
from tests.integration.api.access import LET_IN, ROLES, Credential, rules
from tests.integration.api.clients import WEBSITE, Caller, Company, granted, refused
from tests.integration.api.conftest import Mailbox, OpenCompany
from tests.integration.api.parties import Party, names_a_thing_of_the_others, party
from tests.integration.api.people import joined, made_operator
from tests.integration.api.routes import ROUTES, filled
from tests.stack import RunningStack

Route = tuple[str, str]
Callers = Mapping[str, tuple[Caller, Credential]]
Found = dict[tuple[str, ...], tuple[object, object]]
"""What was expected and what was, by what was tried."""

AT_ONCE = 6

# Where the isolation test's first body is none that whoever is let in may send.
BODIES: Mapping[Route, Any] = {
    ("POST", "/v1/invitations"): {"email": "{email}", "role": "viewer"},
    ("POST", "/v1/keys"): {"kind": "secret", "name": "x", "scopes": [Scope.CONFIG_WRITE]},
}
QUERIES: Mapping[Route, Mapping[str, str]] = {("GET", "/v1/operator/accounts"): {"email": "{email}"}}


@pytest.fixture(scope="module")
async def parties(open_company: OpenCompany) -> tuple[Party, Party]:
    """Two companies with everything that one can have."""
    own, other = await open_company("Initech"), await open_company("Initech")
    return await party(own, "OLEANDER-2386"), await party(other, "CAMELLIA-5172")


@pytest.fixture(scope="module")
async def callers(parties: tuple[Party, Party], mailbox: Mailbox, stack: RunningStack) -> Callers:
    """Every way to ask as somebody of the first company."""
    own = parties[0]
    company = own.company
    return {
        "nobody": (nobody(company), Credential("none")),
        "visitor": (own.visitor, Credential("visitor")),
        "owner": (company.staff, Credential("member", "owner")),
        **{role: ((await joined(company, mailbox, role))[0], Credential("member", role)) for role in ROLES[1:]},
        "operator": await an_operator(company, mailbox, stack),
        **{f"key for {scope}": await a_key(company, scopes=[scope]) for scope in Scope},
        "key for everything": await a_key(company),
        "key of one assistant": await a_key(company, assistant_id=company.assistant_id),
        "revoked key": await a_revoked_key(company),
        "publishable key": (Caller(company.http, company.widget_key), Credential("dead", refused_with="token_invalid")),
    }


def nobody(company: Company) -> Caller:
    caller = Caller(company.http, "", WEBSITE)
    del caller.headers["Authorization"]
    return caller


async def an_operator(company: Company, mailbox: Mailbox, stack: RunningStack) -> tuple[Caller, Credential]:
    """Somebody who runs the platform and is a viewer in the company."""
    caller, _ = await joined(company, mailbox, "viewer")
    return await made_operator(caller, stack), Credential("member", "viewer", is_operator=True)


async def a_key(company: Company, **wish: Any) -> tuple[Caller, Credential]:
    key = granted(await company.staff.post("/v1/keys", {"kind": "secret", "name": "A key", **wish}))
    return Caller(company.http, key["key"]), Credential("key", scopes=frozenset(key["scopes"]))


async def a_revoked_key(company: Company) -> tuple[Caller, Credential]:
    key = granted(await company.staff.post("/v1/keys", {"kind": "secret", "name": "A key"}))
    assert (await company.staff.delete(f"/v1/keys/{key['id']}")).is_success
    return Caller(company.http, key["key"]), Credential("dead", refused_with="key_revoked")


@pytest.fixture(scope="module")
async def documented(parties: tuple[Party, Party]) -> dict[Route, dict[str, Any]]:
    """The operations of the OpenAPI document."""
    paths = granted(await parties[0].company.http.get("/openapi.json"))["paths"]
    return {(method.upper(), path): each for path, methods in paths.items() for method, each in methods.items()}


async def test_every_route_has_a_line_in_the_table(documented: dict[Route, dict[str, Any]]) -> None:
    assert set(documented) == set(rules()), "say in access.py who may do it"


async def test_a_route_asks_for_a_credential_unless_the_table_says_anyone(
    documented: dict[Route, dict[str, Any]],
) -> None:
    secured = {route: bool(operation.get("security")) for route, operation in documented.items()}

    assert secured == {route: not rule.is_open for route, rule in rules().items()}


async def test_each_caller_is_let_in_or_refused_as_the_table_says(
    parties: tuple[Party, Party], callers: Callers
) -> None:
    """What is refused is asked with the company's own things; what would change something, with things of nobody."""
    own, found = parties[0], Found()
    known = own.ids | {"email": own.company.email}

    async def tried(route: Route, name: str, expected: str) -> None:
        reading = expected == LET_IN and route[0] == "GET"
        values = known if reading or expected != LET_IN else unknown(known)
        response = await asked(callers[name][0], route, values, BODIES.get(route, bodies(route)[0]))
        found[*route, name] = (expected, outcome(response, reading=reading))

    await all_of(
        tried(route, name, rule.expects(who))
        for route, rule in rules().items()
        if not rule.is_open
        for name, (_, who) in callers.items()
    )

    assert not (wrong := differing(found)), wrong


async def test_the_things_of_another_company_are_there_for_no_caller(
    parties: tuple[Party, Party], callers: Callers
) -> None:
    other, found, leaks = parties[1], Found(), []
    theirs = other.ids | {"email": other.company.email}

    async def tried(route: Route, name: str, expected: str, body: Any) -> None:
        response = await asked(callers[name][0], route, theirs, body)
        if expected != LET_IN:
            found[*route, name, str(body)] = (expected, outcome(response))
        elif names_a_thing_of_the_others(route[1], body, other):
            found[*route, name, str(body)] = (404, response.status_code)
        if other.secret in response.text:
            leaks.append((*route, name, body))

    await all_of(
        tried(route, name, expected, body)
        for route, rule in rules().items()
        if not rule.is_open
        for name, (_, who) in callers.items()
        if (expected := rule.expects(who)) != LET_IN or rule.member != "operator"
        for body in (bodies(route) if expected == LET_IN else bodies(route)[:1])
    )

    assert not (wrong := differing(found)), wrong
    assert leaks == []


async def test_a_widget_opens_to_its_publishable_key_alone(callers: Callers) -> None:
    for name, (caller, _) in callers.items():
        if name not in ("nobody", "publishable key"):
            for method, path in (("GET", "config"), ("POST", "token")):
                answer = await caller.request(method, f"/v1/widgets/{caller.credential}/{path}")
                refused(answer, 401, "unknown_key")


def bodies(route: Route) -> list[Any]:
    """What the isolation test sends, which also sees to it that no route lacks them."""
    return ROUTES.get(route, [None])


async def asked(caller: Caller, route: Route, values: Mapping[str, str], body: Any) -> httpx.Response:
    method, template = route
    query = {name: value.format(**values) for name, value in QUERIES.get(route, {}).items()}
    return await caller.request(method, template.format(**values), json=filled(body, dict(values)), params=query)


def unknown(known: Mapping[str, str]) -> dict[str, str]:
    """Ids and an address that nobody has."""
    ids = {name: str(uuid4()) if name.endswith("_id") else value for name, value in known.items()}
    return ids | {"email": f"{secrets.token_hex(6)}@example.com"}


def outcome(response: httpx.Response, *, reading: bool = False) -> str:
    """The code of a refusal, a limit or a fault; anything else was let in. Who may read finds the thing, too."""
    status = response.status_code
    if status in (401, 403, 429) or response.is_server_error or (reading and response.is_error):
        return str(response.json()["error"]["code"])
    return LET_IN


def differing(found: Found) -> str:
    """What was not as expected, a line for each."""
    return "\n".join(
        f"{' '.join(what)}: expected {expected}, was {was}"
        for what, (expected, was) in found.items()
        if expected != was
    )


async def all_of(attempts: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Make them, a few at a time."""
    waiting = iter(attempts)

    async def worker() -> None:
        for attempt in waiting:
            await attempt

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(worker())
