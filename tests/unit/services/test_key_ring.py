"""Keys are known again without the database, until they change."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.identifiers import KeyId, new_id
from chatconnect.domain.keys import KeyKind, make_key
from chatconnect.domain.principals import Server
from chatconnect.domain.secret import Secret
from chatconnect.services.key_ring import KeyRing
from tests.fakes.keys import MemoryKeys
from tests.unit.services import refusals
from tests.unit.services.arriving import Arrival


@pytest.fixture
def arrival() -> Arrival:
    return Arrival()


async def refusal(ring: KeyRing, key: Secret, kind: KeyKind = KeyKind.SECRET) -> str:
    return await refusals.refusal(ring.usable(key, kind), Unauthenticated)


async def test_a_key_in_use_is_read_from_the_database_twice_and_never_again(arrival: Arrival) -> None:
    ring = arrival.key_ring()

    for _ in range(10):
        await ring.usable(arrival.secret_key, KeyKind.SECRET)

    assert arrival.stored.key_reads == 2


async def test_a_revoked_key_is_refused_by_every_process_at_its_next_request(arrival: Arrival) -> None:
    rings = [arrival.key_ring() for _ in range(2)]
    for ring in rings * 3:
        key, _ = await ring.usable(arrival.secret_key, KeyKind.SECRET)

    await arrival.keys().revoke(arrival.tenant_id, key.id)

    assert [await refusal(ring, arrival.secret_key) for ring in rings] == ["key_revoked"] * 2


async def test_a_visitors_token_ends_with_its_key_and_takes_no_read_while_nothing_changes(arrival: Arrival) -> None:
    rings, visitor = [arrival.key_ring() for _ in range(2)], await arrival.visitor()
    assert visitor.key_id is not None
    arrival.stored.key_reads = 0
    for ring in rings * 3:
        await ring.check_let_in(visitor)
    reads = arrival.stored.key_reads

    await arrival.keys().revoke(arrival.tenant_id, visitor.key_id)

    for ring in rings:
        assert await refusals.refusal(ring.check_let_in(visitor), Unauthenticated) == "key_revoked"
    assert reads == len(rings)


async def test_a_visitors_token_ends_with_a_key_that_is_past_its_end_or_nowhere(arrival: Arrival) -> None:
    ring, visitor, (other, _) = arrival.key_ring(), await arrival.visitor(), arrival.neighbour()
    await ring.check_let_in(visitor)
    arrival.change_key(arrival.widget_key, expires_at=arrival.clock() + timedelta(minutes=30))
    arrival.epochs.away = True
    await ring.check_let_in(visitor)

    arrival.clock.advance(1_800)

    for who in (visitor, replace(visitor, tenant_id=other.tenant.id)):
        assert await refusals.refusal(ring.check_let_in(who), Unauthenticated) == "key_revoked"


async def test_who_has_no_key_of_a_token_is_let_in(arrival: Arrival) -> None:
    ring, visitor = arrival.key_ring(), replace(await arrival.visitor(), key_id=None)
    arrival.stored.key_reads = 0

    await ring.check_let_in(visitor)  # a token of before there were keys in them
    await ring.check_let_in(Server(arrival.tenant_id, KeyId(new_id()), None, 100))

    assert arrival.stored.key_reads == 0


async def test_a_key_that_is_kept_ends_at_its_end(arrival: Arrival) -> None:
    arrival.change_key(arrival.secret_key, expires_at=arrival.clock() + timedelta(minutes=30))
    ring = arrival.key_ring()
    for _ in range(3):
        await ring.usable(arrival.secret_key, KeyKind.SECRET)

    arrival.clock.advance(1_800)

    assert await refusal(ring, arrival.secret_key) == "key_revoked"


async def test_without_epochs_every_key_is_read_anew(arrival: Arrival) -> None:
    ring = arrival.key_ring()
    for _ in range(3):
        await ring.usable(arrival.secret_key, KeyKind.SECRET)

    arrival.epochs.away = True
    arrival.change_key(arrival.secret_key, revoked_at=arrival.clock())

    assert await refusal(ring, arrival.secret_key) == "key_revoked"


async def test_texts_that_only_look_like_keys_begin_no_epoch(arrival: Arrival) -> None:
    ring = arrival.key_ring()

    for _ in range(5):
        assert await refusal(ring, make_key(KeyKind.SECRET, arrival.tenant_id)) == "unknown_key"

    assert arrival.epochs.values == {}


async def test_each_kind_of_key_opens_its_own_door_only(arrival: Arrival) -> None:
    ring = arrival.key_ring()

    assert await refusal(ring, arrival.widget_key) == "unknown_key"
    assert await refusal(ring, arrival.secret_key, KeyKind.PUBLISHABLE) == "unknown_key"
    arrival.change_key(arrival.secret_key, kind=KeyKind.PUBLISHABLE)
    assert await refusal(ring, arrival.secret_key) == "unknown_key"


@pytest.mark.parametrize("text", ["", "sk_live_", "sk_live_" + "a" * 54, "nonsense"])
async def test_a_key_that_nobody_has_is_unknown(arrival: Arrival, text: str) -> None:
    assert await refusal(arrival.key_ring(), Secret(text)) == "unknown_key"


async def test_a_key_with_another_tenants_name_on_it_opens_neither(arrival: Arrival) -> None:
    other, _ = arrival.neighbour()
    tenant_part = make_key(KeyKind.SECRET, other.tenant.id).reveal()[: len("sk_live_") + 22]

    forged = Secret(tenant_part + arrival.secret_key.reveal()[len(tenant_part) :])

    assert await refusal(arrival.key_ring(), forged) == "unknown_key"


async def test_the_last_use_is_written_once_a_minute(arrival: Arrival) -> None:
    ring, started = arrival.key_ring(), arrival.clock()
    uses = []

    for _ in range(5):
        key, _ = await ring.usable(arrival.secret_key, KeyKind.SECRET)
        await ring.settled()
        uses.append((await MemoryKeys(arrival.stored, arrival.tenant_id).get(key.id)).last_used_at)
        arrival.clock.advance(25)

    assert [use and (use - started).total_seconds() for use in uses] == [0, 0, 0, 75, 75]
