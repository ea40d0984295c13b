"""Sessions and passwords, over HTTP: who stays logged in, and who does not."""

import asyncio
import secrets
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.api.clients import PASSWORD, Caller, Company, granted, logged_in, refreshed, refused
from tests.integration.api.conftest import Mailbox, OpenCompany
from tests.integration.api.tables import tables
from tests.stack import RunningStack

NEW_PASSWORD = "staple, and a horse"
COOKIE = {"X-Session": "cookie"}


@pytest.fixture
async def company(open_company: OpenCompany) -> Company:
    return await open_company("Hooli")


@pytest.fixture
async def browser(stack: RunningStack) -> AsyncIterator[httpx.AsyncClient]:
    """A program that keeps cookies."""
    async with httpx.AsyncClient(base_url=stack.api_url, timeout=30, trust_env=False) as client:
        yield client


async def test_a_session_goes_on_with_refresh_tokens_that_are_used_once(company: Company) -> None:
    session = await logged_in(company.http, company.email)

    first = granted(await refreshed(company.http, session["refresh_token"]))
    second = granted(await refreshed(company.http, first["refresh_token"]))

    assert len({session["refresh_token"], first["refresh_token"], second["refresh_token"]}) == 3
    me = granted(await Caller(company.http, second["access_token"]).get("/v1/auth/me"))
    assert (me["email"], me["session_id"], me["role"]) == (company.email, session["session_id"], "owner")
    refused(await refreshed(company.http, "rt_nobodys"), 401, "session_ended")


async def test_two_tabs_refresh_at_the_same_moment_and_both_go_on(company: Company) -> None:
    session = await logged_in(company.http, company.email)

    answers = await asyncio.gather(*(refreshed(company.http, session["refresh_token"]) for _ in range(6)))

    [following] = {granted(answer)["refresh_token"] for answer in answers}
    for answer in answers:
        granted(await Caller(company.http, granted(answer)["access_token"]).get("/v1/auth/me"))
    granted(await refreshed(company.http, following))


async def test_a_copied_token_ends_the_session_of_whoever_has_the_newest(company: Company, stack: RunningStack) -> None:
    session = await logged_in(company.http, company.email)
    newest = granted(await refreshed(company.http, session["refresh_token"]))
    await long_ago(stack, session["session_id"])

    refused(await refreshed(company.http, session["refresh_token"]), 401, "session_ended")

    refused(await refreshed(company.http, newest["refresh_token"]), 401, "session_ended")
    refused(await Caller(company.http, newest["access_token"]).get("/v1/auth/me"), 401, "session_ended")
    granted(await company.staff.get("/v1/auth/me"))


async def long_ago(stack: RunningStack, session_id: str) -> None:
    """Let the session's refresh tokens have been used a minute earlier."""
    async with tables(stack) as database:
        statement = "UPDATE refresh_tokens SET used_at = used_at - interval '1 minute' WHERE family_id = %s"
        await database.execute(statement, [session_id])


async def test_the_dashboards_refresh_token_is_in_a_cookie_that_scripts_and_other_sites_cannot_use(
    company: Company, browser: httpx.AsyncClient
) -> None:
    credentials = {"email": company.email, "password": PASSWORD}
    answer = await browser.post("/v1/auth/login", json=credentials, headers=COOKIE)
    cookie = answer.headers["set-cookie"]

    assert granted(answer)["refresh_token"] is None
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/v1/auth", "Max-Age=1209600"):
        assert attribute in cookie
    refused(await browser.post("/v1/auth/refresh"), 401, "session_ended")  # as another site would send it
    again = await browser.post("/v1/auth/refresh", headers=COOKIE)
    assert granted(again)["refresh_token"] is None
    assert again.headers["set-cookie"].split(";")[0] != cookie.split(";")[0]
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    asked = await browser.options(
        "/v1/auth/refresh", headers=preflight | {"Access-Control-Request-Headers": "x-session"}
    )
    assert "x-session" not in asked.headers.get("access-control-allow-headers", "").lower()
    assert "access-control-allow-credentials" not in asked.headers

    assert (await browser.post("/v1/auth/logout", headers=COOKIE)).status_code == 204
    assert dict(browser.cookies) == {}
    refused(await browser.post("/v1/auth/refresh", headers=COOKIE), 401, "session_ended")
    refused(await Caller(company.http, granted(again)["access_token"]).get("/v1/auth/me"), 401, "session_ended")


async def test_sessions_are_listed_and_end_one_by_one_or_all_others(company: Company) -> None:
    phone = await logged_in(company.http, company.email)
    tablet = await logged_in(company.http, company.email)

    listed = granted(await company.staff.get("/v1/auth/sessions"))["sessions"]
    assert [each["current"] for each in listed] == [False, False, True]
    assert listed[0]["device"].startswith("python-httpx")
    assert (await company.staff.delete(f"/v1/auth/sessions/{phone['session_id']}")).status_code == 204
    refused(await Caller(company.http, phone["access_token"]).get("/v1/widgets"), 401, "session_ended")
    refused(await company.staff.delete(f"/v1/auth/sessions/{phone['session_id']}"), 404, "not_found")

    everywhere = await company.staff.post("/v1/auth/logout-everywhere", {"keep_current": True})
    assert everywhere.status_code == 204
    refused(await refreshed(company.http, tablet["refresh_token"]), 401, "session_ended")
    granted(await company.staff.get("/v1/auth/me"))
    assert (await company.staff.post("/v1/auth/logout-everywhere")).status_code == 204
    refused(await company.staff.get("/v1/auth/me"), 401, "session_ended")


# Passwords


async def test_a_changed_password_holds_at_once_and_ends_the_other_sessions(company: Company) -> None:
    other = await logged_in(company.http, company.email)
    wrong = {"current_password": "not the password", "new_password": NEW_PASSWORD}
    assert refused(await company.staff.post("/v1/auth/password", wrong), 400, "wrong_password")["details"] == {
        "field": "current_password"
    }

    changed = await company.staff.post("/v1/auth/password", wrong | {"current_password": PASSWORD})

    assert changed.status_code == 204
    granted(await company.staff.get("/v1/auth/me"))
    refused(await Caller(company.http, other["access_token"]).get("/v1/auth/me"), 401, "session_ended")
    old = {"email": company.email, "password": PASSWORD}
    refused(await company.http.post("/v1/auth/login", json=old), 401, "wrong_credentials")
    granted(await company.http.post("/v1/auth/login", json=old | {"password": NEW_PASSWORD}))


async def test_a_forgotten_password_is_set_anew_by_mail_and_nobody_learns_who_has_an_account(
    company: Company, mailbox: Mailbox
) -> None:
    nobody = f"nobody-{secrets.token_hex(4)}@example.com"
    answers = await asyncio.gather(
        *(company.http.post("/v1/auth/password/forgot", json={"email": each}) for each in (company.email, nobody, "x"))
    )
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}
    assert (len(mailbox.to(company.email)), mailbox.to(nobody)) == (1, [])
    token = mailbox.token(company.email, "reset")

    short = {"token": token, "password": "too short"}
    refused(await company.http.post("/v1/auth/password/reset", json=short), 400, "weak_password")
    reset = {"token": token, "password": NEW_PASSWORD}
    assert (await company.http.post("/v1/auth/password/reset", json=reset)).status_code == 204

    refused(await company.http.post("/v1/auth/password/reset", json=reset), 401, "reset_invalid")
    refused(await company.staff.get("/v1/auth/me"), 401, "session_ended")
    credentials = {"email": company.email, "password": NEW_PASSWORD}
    granted(await company.http.post("/v1/auth/login", json=credentials))


async def test_wrong_passwords_are_slowed_down_and_say_until_when(company: Company) -> None:
    wrong = {"email": company.email, "password": "not the password"}

    answers = await asyncio.gather(*(company.http.post("/v1/auth/login", json=wrong) for _ in range(12)))

    codes = sorted(answer.json()["error"]["code"] for answer in answers)
    assert codes == ["too_many_attempts"] * 2 + ["wrong_credentials"] * 10
    assert all(0 < int(answer.headers["retry-after"]) <= 900 for answer in answers if answer.status_code == 429)
    granted(await company.staff.get("/v1/auth/me"))
