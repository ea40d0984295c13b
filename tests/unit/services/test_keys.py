"""Making, rotating and ending keys."""

from datetime import timedelta, timezone

import pytest

from chatconnect.domain.identifiers import KeyId, new_id
from chatconnect.domain.keys import ALL_SCOPES, KeyKind, Scope
from chatconnect.domain.moments import LAST
from chatconnect.domain.principals import Server
from chatconnect.services.keys import KeyWish
from tests.factories import seconds
from tests.unit.services.arriving import Arrival
from tests.unit.services.refusals import refusal

DAY = timedelta(days=1)


@pytest.fixture
def arrival() -> Arrival:
    return Arrival()


def a_server(arrival: Arrival, *scopes: Scope) -> Server:
    return Server(arrival.tenant_id, KeyId(new_id()), None, 100, frozenset(scopes))


async def test_a_new_key_is_shown_once_and_stored_as_a_hash(arrival: Arrival) -> None:
    row, text = await arrival.keys().add(arrival.admin, KeyWish(KeyKind.SECRET, " Backup\0 "))

    found, _ = await arrival.key_ring().usable(text, KeyKind.SECRET)
    assert (found.id, found.name, found.may) == (row.id, "Backup", ALL_SCOPES)
    assert text.reveal() not in repr(arrival.stored)


async def test_a_key_may_do_what_it_was_given(arrival: Arrival) -> None:
    wish = KeyWish(KeyKind.SECRET, "Sync", scopes=[Scope.KNOWLEDGE_READ, Scope.KNOWLEDGE_WRITE], expires_at=seconds(60))

    row, _ = await arrival.keys().add(arrival.admin, wish)

    assert row.may == {Scope.KNOWLEDGE_READ, Scope.KNOWLEDGE_WRITE}
    assert row.expires_at == seconds(60)


async def test_a_publishable_key_and_one_for_an_assistant_let_chat_alone(arrival: Arrival) -> None:
    publishable, _ = await arrival.keys().add(arrival.admin, KeyWish(KeyKind.PUBLISHABLE, "Site"))
    bound, _ = await arrival.keys().add(
        arrival.admin, KeyWish(KeyKind.SECRET, "One", arrival.new.assistant.id, scopes=[Scope.CHAT])
    )

    assert publishable.may == bound.may == {Scope.CHAT}
    assert bound.assistant_id == arrival.new.assistant.id


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (KeyWish(KeyKind.SECRET, "  "), "invalid_request"),
        (KeyWish(KeyKind.SECRET, "n" * 101), "invalid_request"),
        (KeyWish(KeyKind.SECRET, "x", scopes=[]), "invalid_scopes"),
        (KeyWish(KeyKind.PUBLISHABLE, "x", scopes=[Scope.CONFIG_READ]), "invalid_scopes"),
        (KeyWish(KeyKind.SECRET, "x", expires_at=seconds(0)), "invalid_request"),
        (KeyWish(KeyKind.SECRET, "x", expires_at=seconds(60).replace(tzinfo=None)), "invalid_request"),
        (
            KeyWish(KeyKind.SECRET, "x", expires_at=LAST.replace(tzinfo=timezone(timedelta(hours=-1)))),
            "invalid_request",
        ),
    ],
)
async def test_a_wish_with_a_mistake_makes_no_key(arrival: Arrival, wish: KeyWish, code: str) -> None:
    before = await arrival.keys().all(arrival.tenant_id)

    assert await refusal(arrival.keys().add(arrival.admin, wish)) == code
    assert await arrival.keys().all(arrival.tenant_id) == before


async def test_a_key_is_bound_to_an_assistant_of_the_same_tenant_only(arrival: Arrival) -> None:
    other, _ = arrival.neighbour()

    wish = KeyWish(KeyKind.SECRET, "Bound", other.assistant.id)

    assert await refusal(arrival.keys().add(arrival.admin, wish)) == "not_found"


async def test_a_server_makes_no_key_that_may_do_more_than_its_own(arrival: Arrival) -> None:
    server, keys = a_server(arrival, Scope.CONFIG_WRITE, Scope.CHAT), arrival.keys()

    row, _ = await keys.add(server, KeyWish(KeyKind.SECRET, "Less", scopes=[Scope.CHAT]))

    assert row.may == {Scope.CHAT}
    assert await refusal(keys.add(server, KeyWish(KeyKind.SECRET, "Whole"))) == "scope_required"
    whole = next(key for key in await keys.all(arrival.tenant_id) if key.may == ALL_SCOPES)
    assert await refusal(keys.rotate(server, whole.id, DAY)) == "scope_required"


async def test_both_keys_of_a_rotation_work_until_the_overlap_is_over(arrival: Arrival) -> None:
    ring = arrival.key_ring()
    old, _ = await ring.usable(arrival.secret_key, KeyKind.SECRET)

    new, text = await arrival.keys().rotate(arrival.admin, old.id, DAY)

    assert (new.name, new.may, new.expires_at) == (old.name, old.may, None)
    assert (await ring.usable(text, KeyKind.SECRET))[0].id == new.id
    assert (await ring.usable(arrival.secret_key, KeyKind.SECRET))[0].replaced_by == new.id
    arrival.clock.advance(DAY.total_seconds())
    assert await refusal(ring.usable(arrival.secret_key, KeyKind.SECRET)) == "key_revoked"
    assert (await ring.usable(text, KeyKind.SECRET))[0].id == new.id


async def test_without_an_overlap_the_old_key_ends_at_once(arrival: Arrival) -> None:
    ring = arrival.key_ring()
    for _ in range(3):
        old, _ = await ring.usable(arrival.secret_key, KeyKind.SECRET)

    await arrival.keys().rotate(arrival.admin, old.id, timedelta())

    assert await refusal(ring.usable(arrival.secret_key, KeyKind.SECRET)) == "key_revoked"


async def test_a_key_that_was_to_end_is_rotated_to_one_that_lives_as_long_again(arrival: Arrival) -> None:
    row, _ = await arrival.keys().add(
        arrival.admin, KeyWish(KeyKind.SECRET, "Month", expires_at=arrival.clock() + 30 * DAY)
    )
    arrival.clock.advance(20 * 86_400)

    new, _ = await arrival.keys().rotate(arrival.admin, row.id, DAY)

    assert new.expires_at == arrival.clock() + 30 * DAY


async def test_a_key_that_ends_with_the_calendar_is_rotated_to_one_that_does(arrival: Arrival) -> None:
    row, _ = await arrival.keys().add(arrival.admin, KeyWish(KeyKind.SECRET, "For ever", expires_at=LAST))
    arrival.clock.advance(60)

    new, _ = await arrival.keys().rotate(arrival.admin, row.id, DAY)

    assert new.expires_at == LAST


async def test_an_ended_or_rotated_key_is_not_rotated_again(arrival: Arrival) -> None:
    keys = arrival.keys()
    (rotated, _), (ended, _), (revoked, _) = [
        await keys.add(arrival.admin, KeyWish(KeyKind.SECRET, "x", expires_at=seconds(60))) for _ in range(3)
    ]
    await keys.rotate(arrival.admin, rotated.id, DAY)
    await keys.revoke(arrival.tenant_id, revoked.id)
    arrival.clock.advance(60)

    assert await refusal(keys.rotate(arrival.admin, rotated.id, DAY)) == "key_rotated"
    assert await refusal(keys.rotate(arrival.admin, ended.id, DAY)) == "key_ended"
    assert await refusal(keys.rotate(arrival.admin, revoked.id, DAY)) == "key_ended"
    assert await refusal(keys.rotate(arrival.admin, KeyId(new_id()), DAY)) == "not_found"


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=7, seconds=1)])
async def test_an_overlap_lasts_seven_days_at_most(arrival: Arrival, overlap: timedelta) -> None:
    key = (await arrival.keys().all(arrival.tenant_id))[0]

    assert await refusal(arrival.keys().rotate(arrival.admin, key.id, overlap)) == "invalid_request"
    assert await refusal(arrival.identities().add(arrival.tenant_id, overlap)) == "invalid_request"
