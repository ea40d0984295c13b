"""Visitors whom the website's own server vouches for."""

import time
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest

from chatconnect.domain.identity import hash_of_user
from chatconnect.domain.secret import Secret
from tests.integration.api.clients import WEBSITE, Caller, Company, granted, refused
from tests.integration.api.conftest import OpenCompany

QUESTION = "How do parcels get to Iceland?"


async def a_secret(company: Company, overlap_hours: int = 0) -> str:
    made = granted(await company.staff.post("/v1/identity-secrets", {"overlap_hours": overlap_hours}))
    secret: str = made["secret"]
    return secret


def signed(secret: str, user: str, **claims: object) -> str:
    return jwt.encode({"sub": user, "exp": int(time.time()) + 300} | claims, secret, algorithm="HS256")


async def asked(company: Company, **body: Any) -> httpx.Response:
    path = f"/v1/widgets/{company.widget_key}/token"
    return await company.http.post(path, headers={"Origin": WEBSITE}, json=body)


async def arrived(company: Company, **body: Any) -> tuple[Caller, dict[str, Any]]:
    """Whoever came in, and what they were given."""
    given = granted(await asked(company, **body))
    return Caller(company.http, given["token"], WEBSITE), given


def a_user() -> str:
    return f"user-{uuid4()}"


async def test_an_anonymous_visitor_keeps_the_conversation_and_finds_it_on_another_device(company: Company) -> None:
    secret, user = await a_secret(company), a_user()
    anonymous, before = await arrived(company)
    answer = await anonymous.ask(QUESTION)

    here, known = await arrived(company, visitor_id=before["visitor_id"], identity=signed(secret, user, name="Ada"))
    there, elsewhere = await arrived(
        company, identity={"user_id": user, "user_hash": hash_of_user(user, Secret(secret))}
    )

    assert known["visitor_id"] == elsewhere["visitor_id"] == before["visitor_id"]
    assert known["returning"]
    for caller in (here, there):
        thread = await caller.conversation(answer["conversation_id"])
        assert [message["text"] for message in thread["messages"]][:2] == [QUESTION, answer["text"]]
        await caller.ask("And what does it cost?", conversation_id=answer["conversation_id"])
    shown = granted(await company.staff.get(f"/v1/visitors/{before['visitor_id']}"))
    assert (shown["external_id"], shown["name"], shown["email"]) == (user, "Ada", None)


async def test_conversations_of_two_devices_are_one_visitors_once_both_are_known(company: Company) -> None:
    secret, user = await a_secret(company), a_user()
    phone, known = await arrived(company, identity=signed(secret, user))
    first = await phone.ask(QUESTION)
    laptop, before = await arrived(company)
    second = await laptop.ask("What does gift wrapping cost?")

    laptop, merged = await arrived(company, visitor_id=before["visitor_id"], identity=signed(secret, user))

    assert (merged["visitor_id"], merged["returning"]) == (known["visitor_id"], True)
    for caller in (phone, laptop):
        listed = granted(await caller.get("/v1/conversations"))["conversations"]
        assert {each["id"] for each in listed} == {first["conversation_id"], second["conversation_id"]}
    await laptop.ask("And for two?", conversation_id=second["conversation_id"])


async def test_the_next_person_at_a_shared_computer_sees_nothing(company: Company) -> None:
    secret = await a_secret(company)
    ada, known = await arrived(company, identity=signed(secret, a_user()))
    answer = await ada.ask(QUESTION)

    nobody, logged_out = await arrived(company, visitor_id=known["visitor_id"])
    ben, other = await arrived(company, visitor_id=known["visitor_id"], identity=signed(secret, a_user()))

    for caller, given in ((nobody, logged_out), (ben, other)):
        assert not given["returning"]
        assert given["visitor_id"] != known["visitor_id"]
        refused(await caller.get(f"/v1/conversations/{answer['conversation_id']}"), 404, "not_found")


async def test_what_is_not_signed_as_it_should_be_is_refused(company: Company, open_company: OpenCompany) -> None:
    secret, theirs = await a_secret(company), await a_secret(await open_company("Soylent"))
    user = a_user()

    refused(await asked(company, identity=signed(secret, user, exp=1_000_000_000)), 401, "identity_expired")
    for forged in (
        signed(theirs, user), signed(secret, user) + "x", "nonsense",
        {"user_id": user, "user_hash": hash_of_user(user, Secret(theirs))},
        {"user_id": user, "user_hash": hash_of_user("somebody else", Secret(secret))},
    ):  # fmt: skip
        error = refused(await asked(company, identity=forged), 401, "identity_invalid")
        assert user not in str(error)
    refused(await asked(company, identity={"user_id": user, "user_hash": "nonsense"}), 400, "invalid_request")
    refused(await asked(company, identity="a" * 5_000), 400, "invalid_request")


async def test_a_widget_may_let_in_known_visitors_only(open_company: OpenCompany) -> None:
    company = await open_company("Massive Dynamic")
    secret = await a_secret(company)
    [widget] = granted(await company.staff.get("/v1/widgets"))["widgets"]
    assert widget["require_identity"] is False

    granted(await company.staff.put(f"/v1/widgets/{widget['id']}", widget | {"require_identity": True}))

    refused(await asked(company), 403, "identity_required")
    refused(await asked(company, visitor_id=str(uuid4())), 403, "identity_required")
    await arrived(company, identity=signed(secret, a_user()))


async def test_secrets_are_exchanged_with_an_overlap_and_shown_once(open_company: OpenCompany) -> None:
    company, user = await open_company("Tyrell"), a_user()
    old = await a_secret(company)
    new = await a_secret(company, overlap_hours=24)

    given = [granted(await asked(company, identity=signed(secret, user))) for secret in (old, new)]

    assert given[0]["visitor_id"] == given[1]["visitor_id"]
    answer = await company.staff.get("/v1/identity-secrets")
    newest, oldest = granted(answer)["secrets"]
    assert (newest["expires_at"], oldest["expires_at"] is None) == (None, False)
    assert old not in answer.text
    assert (await company.staff.delete(f"/v1/identity-secrets/{oldest['id']}")).status_code == 204
    refused(await asked(company, identity=signed(old, user)), 401, "identity_invalid")
    refused(await company.staff.delete(f"/v1/identity-secrets/{oldest['id']}"), 404, "not_found")


async def test_a_blocked_visitor_is_blocked_on_every_device(company: Company) -> None:
    secret, user = await a_secret(company), a_user()
    _, known = await arrived(company, identity=signed(secret, user))
    granted(await company.staff.post(f"/v1/visitors/{known['visitor_id']}/block", {"reason": "Insults"}))

    refused(await asked(company, identity=signed(secret, user)), 403, "visitor_blocked")


@pytest.mark.parametrize("scopes", [["chat"], ["config:read"]])
async def test_secrets_are_made_by_those_who_configure(company: Company, scopes: list[str]) -> None:
    key = granted(await company.staff.post("/v1/keys", {"kind": "secret", "name": "x", "scopes": scopes}))

    refused(await Caller(company.http, key["key"]).post("/v1/identity-secrets"), 403, "scope_required")
