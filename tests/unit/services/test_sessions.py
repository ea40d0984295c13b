"""Logging in, staying logged in, and logging out: who gets a pass, and when it ends."""

import asyncio

import pytest

from chatconnect.domain.errors import LimitReached, NotFound
from chatconnect.domain.identifiers import SessionId, new_id
from chatconnect.domain.secret import Secret
from chatconnect.domain.session import IDLE, LEEWAY, LONGEST
from chatconnect.domain.tenant import StaffRole
from chatconnect.services.attempts import PASSWORDS_FROM_ADDRESS, PASSWORDS_OF_ACCOUNT, Client
from chatconnect.services.sessions import Grant
from tests.unit.services.people import HERE, PASSWORD, House
from tests.unit.services.refusals import refusal

ADA = "ada@acme.example"


def refreshed(grant: Grant) -> Secret:
    assert grant.refresh_token is not None
    return grant.refresh_token


# Logging in


async def test_staff_log_in_with_their_password_whatever_the_case_of_the_address(house: House) -> None:
    grant = await house.log_in(" ADA@acme.example")

    staff = await house.access.staff(Secret(grant.access_token))
    assert staff == grant.staff
    assert (staff.role, grant.expires_in) == (StaffRole.OWNER, 900)


@pytest.mark.parametrize(
    "email", [ADA, "nobody@acme.example", "not an address", "a\0@acme.example", "off@acme.example"]
)
async def test_a_wrong_password_and_an_unknown_address_look_and_cost_the_same(house: House, email: str) -> None:
    off = await house.tenant("Off")
    await house.store.set_disabled(off.account.id, disabled=True)
    before = house.throttle.counted.total()

    assert await refusal(house.sessions.log_in(email, Secret("wrong password"), HERE)) == "wrong_credentials"

    assert house.passwords.verified == 1
    assert house.throttle.counted.total() - before == 2


async def test_a_log_in_that_failed_is_told_of_whoever_it_was_and_one_that_did_not_is_not(house: House) -> None:
    ada = await house.store.find_by_email(ADA)
    assert ada is not None

    for email in (ADA, "nobody@acme.example"):
        await refusal(house.sessions.log_in(email, Secret("wrong password"), HERE))
    await house.log_in(ADA)

    assert house.refusals.of == [ada.id, None]


async def test_somebody_without_a_tenant_or_disabled_is_told_no_more_than_anybody(house: House) -> None:
    off = await house.tenant("Off")
    await house.store.set_disabled(off.account.id, disabled=True)
    house.stored.members = [each for each in house.stored.members if each.account_id == off.account.id]

    assert await refusal(house.log_in(ADA)) == "wrong_credentials"
    assert await refusal(house.log_in(off.account.email)) == "wrong_credentials"


async def test_a_password_is_the_same_however_its_accents_were_typed(house: House) -> None:
    composed, decomposed = Secret("crème brûlée!"), Secret("cre\u0300me bru\u0302le\u0301e!")
    account = house.stored.accounts[ADA]
    await house.store.set_password(account.id, await house.passwords.hash(composed), keep=None)

    assert (await house.sessions.log_in(ADA, decomposed, HERE)).staff.account_id == account.id


async def test_a_person_of_several_companies_chooses_one_and_switches(house: House) -> None:
    ada = house.stored.accounts[ADA]
    second = await house.tenant("Globex", owner=ada)
    stranger = await house.tenant("Initech")

    assert (await house.log_in(ADA)).staff.tenant_id != second.tenant.id
    chosen = await house.log_in(ADA, tenant_id=second.tenant.id)
    assert chosen.staff.tenant_id == second.tenant.id
    assert await refusal(house.log_in(ADA, tenant_id=stranger.tenant.id)) == "not_a_member"

    person = await house.person(chosen)
    [first, _] = await house.sessions.places(person)
    switched = await house.sessions.switch(person, first.tenant.id)
    assert (switched.staff.tenant_id, switched.refresh_token) == (first.tenant.id, None)
    with pytest.raises(NotFound):
        await house.sessions.switch(person, stranger.tenant.id)
    assert (await house.sessions.refresh(refreshed(chosen), HERE)).staff.tenant_id == first.tenant.id


# Throttling


async def test_an_account_takes_so_many_wrong_passwords_from_wherever(house: House) -> None:
    for number in range(PASSWORDS_OF_ACCOUNT.times):
        client = Client(f"203.0.113.{number}")
        assert await refusal(house.sessions.log_in(ADA, Secret("wrong password"), client)) == "wrong_credentials"

    with pytest.raises(LimitReached) as refused:
        await house.log_in(ADA)

    assert (refused.value.code, refused.value.retry_after) == ("too_many_attempts", 60)
    assert house.passwords.verified == PASSWORDS_OF_ACCOUNT.times


async def test_the_right_password_gives_an_account_its_attempts_back(house: House) -> None:
    for _ in range(3):
        for _ in range(PASSWORDS_OF_ACCOUNT.times - 1):
            assert await refusal(house.sessions.log_in(ADA, Secret("wrong password"), HERE)) == "wrong_credentials"
        await house.log_in(ADA)


async def test_an_address_takes_so_many_attempts_at_whatever_account_but_this_computer_any_number(
    house: House,
) -> None:
    here = Client(None)
    for number in range(PASSWORDS_FROM_ADDRESS.times + 1):
        await refusal(house.sessions.log_in(f"{number}@acme.example", PASSWORD, here))
    for number in range(PASSWORDS_FROM_ADDRESS.times):
        await refusal(house.sessions.log_in(f"{number}@acme.example", PASSWORD, HERE))

    assert await refusal(house.log_in(ADA)) == "too_many_attempts"
    assert (await house.log_in(ADA, here)).staff.role is StaffRole.OWNER


# Refreshing


async def test_a_refresh_token_gives_the_next_one_and_a_pass(house: House) -> None:
    first = await house.log_in(ADA)
    house.clock.advance(800)

    second = await house.sessions.refresh(refreshed(first), Client(None, "Chromium"))

    assert (await house.person(second)).session_id == first.session_id
    assert refreshed(second) != refreshed(first)
    [session] = await house.sessions.all(await house.person(second))
    assert (session.device, session.last_used_at) == ("Chromium", house.clock.now)


async def test_two_tabs_that_refresh_at_once_get_the_same_token_and_go_on(house: House) -> None:
    first = await house.log_in(ADA)

    grants = await asyncio.gather(*(house.sessions.refresh(refreshed(first), HERE) for _ in range(5)))

    [following] = {refreshed(grant) for grant in grants}
    house.clock.advance(60)
    assert (await house.sessions.refresh(following, HERE)).session_id == first.session_id
    assert house.copied == []


async def test_a_tab_that_comes_late_is_given_the_newest_token(house: House) -> None:
    first = await house.log_in(ADA)
    second = await house.sessions.refresh(refreshed(first), HERE)
    third = await house.sessions.refresh(refreshed(second), HERE)
    house.clock.advance(LEEWAY.total_seconds())

    late = await house.sessions.refresh(refreshed(first), HERE)

    assert refreshed(late) == refreshed(third)


async def test_a_token_that_comes_back_later_ends_its_session_with_all_passes(house: House) -> None:
    stolen = await house.log_in(ADA)
    other = await house.log_in(ADA)
    mine = await house.sessions.refresh(refreshed(stolen), HERE)
    house.clock.advance(LEEWAY.total_seconds() + 1)

    assert await refusal(house.sessions.refresh(refreshed(stolen), HERE)) == "session_ended"

    assert await refusal(house.sessions.refresh(refreshed(mine), HERE)) == "session_ended"
    assert await refusal(house.access.staff(Secret(mine.access_token))) == "session_ended"
    assert [session.id for session in house.copied] == [stolen.session_id]
    assert (await house.person(other)).staff.role is StaffRole.OWNER


async def test_a_session_ends_when_nobody_used_it_for_two_weeks_and_after_three_months_anyway(house: House) -> None:
    idle = await house.log_in(ADA)
    house.clock.advance(IDLE.total_seconds())
    assert await refusal(house.sessions.refresh(refreshed(idle), HERE)) == "session_ended"

    grant = await house.log_in(ADA)
    begun = house.clock.now
    while house.clock.now - begun < LONGEST - IDLE:
        house.clock.advance(IDLE.total_seconds() - 1)
        grant = await house.sessions.refresh(refreshed(grant), HERE)
    house.clock.now = begun + LONGEST
    assert await refusal(house.sessions.refresh(refreshed(grant), HERE)) == "session_ended"


@pytest.mark.parametrize("token", ["", "rt_unknown", "sk_live_x"])
async def test_what_is_no_refresh_token_refreshes_nothing(house: House, token: str) -> None:
    assert await refusal(house.sessions.refresh(Secret(token), HERE)) == "session_ended"


async def test_who_is_removed_goes_on_where_they_still_are_a_member_or_nowhere(house: House) -> None:
    ada = house.stored.accounts[ADA]
    second = await house.tenant("Globex", owner=ada)
    grant = await house.log_in(ADA)
    house.stored.members = [each for each in house.stored.members if each.tenant_id == second.tenant.id]

    assert await refusal(house.access.staff(Secret(grant.access_token))) == "session_ended"
    moved = await house.sessions.refresh(refreshed(grant), HERE)
    assert moved.staff.tenant_id == second.tenant.id
    house.stored.members.clear()
    house.clock.advance(60)
    assert await refusal(house.sessions.refresh(refreshed(moved), HERE)) == "session_ended"


# Logging out


async def test_logging_out_ends_the_session_and_its_passes_at_once(house: House) -> None:
    grant, other = await house.log_in(ADA), await house.log_in(ADA)

    await house.sessions.log_out(refreshed(grant))
    await house.sessions.log_out(refreshed(grant))
    await house.sessions.log_out(Secret("rt_unknown"))

    assert await refusal(house.access.staff(Secret(grant.access_token))) == "session_ended"
    assert await refusal(house.sessions.refresh(refreshed(grant), HERE)) == "session_ended"
    assert (await house.person(other)).staff.role is StaffRole.OWNER


async def test_sessions_end_one_by_one_or_all_together(house: House) -> None:
    here, phone, tablet = [await house.log_in(ADA, Client(None, name)) for name in ("here", "phone", "tablet")]
    stranger = await house.log_in((await house.tenant("Globex")).account.email)
    person = await house.person(here)

    await house.sessions.end(person, phone.session_id)
    for missing in (phone.session_id, stranger.session_id, SessionId(new_id())):
        with pytest.raises(NotFound):
            await house.sessions.end(person, missing)

    assert {session.device for session in await house.sessions.all(person)} == {"here", "tablet"}
    await house.sessions.end_all(person, keep_current=True)
    assert [session.id for session in await house.sessions.all(person)] == [here.session_id]
    await house.sessions.end_all(person, keep_current=False)
    for grant in (here, phone, tablet):
        assert await refusal(house.access.staff(Secret(grant.access_token))) == "session_ended"
    assert (await house.person(stranger)).staff.role is StaffRole.OWNER


async def test_a_pass_without_a_session_and_a_forged_one_open_nothing(house: House) -> None:
    assert await refusal(house.access.staff(Secret("staff-99"))) == "token_invalid"
    assert await refusal(house.access.signed_in(Secret("expired"))) == "token_expired"
