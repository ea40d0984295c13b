"""Passwords: changed by who knows the present one, or by who reads the mail."""

import time

import pytest

from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.secret import Secret
from chatconnect.services.accounts import AccountService
from chatconnect.services.attempts import PASSWORDS_OF_ACCOUNT, RESETS_FROM_ADDRESS, RESETS_TO_ADDRESS, Attempts, Client
from chatconnect.services.sessions import Grant
from tests.unit.services.people import DASHBOARD, HERE, NEW_PASSWORD, PASSWORD, House
from tests.unit.services.refusals import refusal

ADA = "ada@acme.example"


async def is_in(house: House, grant: Grant) -> bool:
    try:
        await house.access.staff(Secret(grant.access_token))
    except ChatConnectError:
        return False
    return True


async def test_a_changed_password_holds_and_ends_the_other_sessions(house: House) -> None:
    here, elsewhere = await house.log_in(ADA), await house.log_in(ADA)

    await house.accounts.change_password(await house.person(here), PASSWORD, NEW_PASSWORD, HERE)

    assert (await is_in(house, here), await is_in(house, elsewhere)) == (True, False)
    assert await refusal(house.log_in(ADA)) == "wrong_credentials"
    assert (await house.sessions.log_in(ADA, NEW_PASSWORD, HERE)).staff == here.staff


@pytest.mark.parametrize(
    ("current", "new", "code", "field"),
    [
        (Secret("wrong password"), NEW_PASSWORD, "wrong_password", "current_password"),
        (PASSWORD, Secret("too short"), "weak_password", "new_password"),
        (PASSWORD, Secret("Password123"), "weak_password", "new_password"),
    ],
)
async def test_a_password_that_is_not_changed_stays(
    house: House, current: Secret, new: Secret, code: str, field: str
) -> None:
    here, elsewhere = await house.log_in(ADA), await house.log_in(ADA)

    with pytest.raises(ChatConnectError) as refused:
        await house.accounts.change_password(await house.person(here), current, new, HERE)

    assert (refused.value.code, refused.value.details) == (code, {"field": field})
    assert await is_in(house, elsewhere)


async def test_who_has_a_session_cannot_try_out_the_password_for_ever(house: House) -> None:
    person = await house.person(await house.log_in(ADA))
    for _ in range(PASSWORDS_OF_ACCOUNT.times):
        await refusal(house.accounts.change_password(person, Secret("wrong password"), NEW_PASSWORD, HERE))

    assert await refusal(house.accounts.change_password(person, PASSWORD, NEW_PASSWORD, HERE)) == "too_many_attempts"


async def test_a_mail_sets_a_new_password_once_and_ends_all_sessions(house: House) -> None:
    here = await house.log_in(ADA)
    for _ in range(PASSWORDS_OF_ACCOUNT.times):
        await refusal(house.sessions.log_in(ADA, Secret("wrong password"), HERE))
    await house.accounts.ask_for_reset(" ADA@acme.example", HERE)
    [mail] = house.mail.sent
    token = Secret(house.mail.token("reset"))

    assert (mail.to, f"{DASHBOARD}#reset={token.reveal()}" in mail.text) == (ADA, True)
    assert token.reveal() not in repr(mail)
    assert await refusal(house.accounts.reset(token, Secret("too short"))) == "weak_password"
    await house.accounts.reset(token, NEW_PASSWORD)

    assert not await is_in(house, here)
    assert (await house.sessions.log_in(ADA, NEW_PASSWORD, HERE)).staff == here.staff
    assert await refusal(house.accounts.reset(token, PASSWORD)) == "reset_invalid"


async def test_without_a_right_token_no_hash_is_computed(house: House) -> None:
    hashed = house.passwords.hashed

    assert await refusal(house.accounts.reset(Secret("rst_guessed"), NEW_PASSWORD)) == "reset_invalid"

    assert house.passwords.hashed == hashed


async def test_a_reset_runs_out_after_an_hour(house: House) -> None:
    await house.accounts.ask_for_reset(ADA, HERE)
    house.clock.advance(3_600)

    assert await refusal(house.accounts.reset(Secret(house.mail.token("reset")), NEW_PASSWORD)) == "reset_invalid"


async def test_asking_says_nothing_whether_there_is_an_account_or_a_mail_service(house: House) -> None:
    off = await house.tenant("Off")
    await house.store.set_disabled(off.account.id, disabled=True)

    for email in ("nobody@acme.example", "no address", off.account.email):
        await house.accounts.ask_for_reset(email, HERE)
    house.mail.away = True
    await house.accounts.ask_for_reset(ADA, HERE)

    assert (house.mail.sent, len(house.faults)) == ([], 1)


async def test_asking_takes_as_long_for_everybody(house: House) -> None:
    patient = AccountService(
        accounts=house.store,
        passwords=house.passwords,
        mailer=house.mail,
        attempts=Attempts(house.throttle),
        dashboard_url=DASHBOARD,
        on_fault=lambda *_: None,
        clock=house.clock,
        asking_seconds=0.05,
    )
    for email in (ADA, "nobody@acme.example", "no address"):
        begun = time.monotonic()
        await patient.ask_for_reset(email, HERE)
        assert time.monotonic() - begun >= 0.05


async def test_an_address_gets_few_mails_and_a_network_address_asks_for_few(house: House) -> None:
    for number in range(RESETS_TO_ADDRESS.times + 2):
        await house.accounts.ask_for_reset(ADA, Client(f"203.0.113.{number}"))
    assert len(house.mail.sent) == RESETS_TO_ADDRESS.times

    for _ in range(RESETS_FROM_ADDRESS.times - house.throttle.counted[RESETS_FROM_ADDRESS.name, HERE.address or ""]):
        await house.accounts.ask_for_reset("nobody@acme.example", HERE)
    assert await refusal(house.accounts.ask_for_reset("nobody@acme.example", HERE)) == "too_many_attempts"


async def test_all_addresses_of_one_connection_with_ipv6_are_counted_together(house: House) -> None:
    for number in range(RESETS_FROM_ADDRESS.times):
        await house.accounts.ask_for_reset(f"nobody-{number}@example.com", Client(f"2001:db8::{number}"))

    assert await refusal(house.accounts.ask_for_reset("any@example.com", Client("2001:db8::ffff"))) == (
        "too_many_attempts"
    )
    for elsewhere in ("2001:db8:0:1::1", "203.0.113.7", "::ffff:203.0.113.7", "::ffff:203.0.113.8", "testclient"):
        await house.accounts.ask_for_reset("any@example.com", Client(elsewhere))
    counted = {subject: times for (_, subject), times in house.throttle.counted.items()}
    assert counted == {
        "2001:db8::/64": RESETS_FROM_ADDRESS.times,
        "2001:db8:0:1::/64": 1,
        "203.0.113.7": 2,
        "203.0.113.8": 1,
        "testclient": 1,
    }
