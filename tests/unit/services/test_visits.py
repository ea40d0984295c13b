"""Who gets into the chat: from allowed websites, with the widget's key, as whoever they prove to be."""

import time
from collections.abc import Awaitable
from datetime import timedelta
from uuid import UUID, uuid4

import jwt
import pytest

from chatconnect.domain.errors import ChatConnectError, Forbidden, Unauthenticated
from chatconnect.domain.identifiers import VisitorId
from chatconnect.domain.identity import IdentitySecret, Proof, SignedId, hash_of_user
from chatconnect.domain.keys import hash_of
from chatconnect.domain.principals import Visitor
from chatconnect.domain.secret import Secret
from chatconnect.domain.visitor import Block, KnownVisitor
from chatconnect.services.chat_tokens import ChatTokens
from chatconnect.services.visits import ChatToken, VisitService
from tests.factories import NOON
from tests.unit.services import refusals
from tests.unit.services.arriving import SITE, Arrival

DAY = 86_400


@pytest.fixture
def arrival() -> Arrival:
    return Arrival()


async def token(
    arrival: Arrival, visitor_id: UUID | None = None, proof: Proof | None = None, visits: VisitService | None = None
) -> ChatToken:
    return await (visits or arrival.visits()).chat_token(arrival.widget_key, SITE, visitor_id, proof)


async def bearer(arrival: Arrival, given: ChatToken) -> Visitor:
    return await ChatTokens(arrival.signer).read(Secret(given.token))


async def refusal(attempt: Awaitable[object]) -> str:
    return await refusals.refusal(attempt, Unauthenticated, Forbidden)


async def a_secret(arrival: Arrival, overlap: float = 0) -> IdentitySecret:
    return await arrival.identities().add(arrival.tenant_id, timedelta(seconds=overlap))


def signed(secret: IdentitySecret | str, **claims: object) -> str:
    key = secret if isinstance(secret, str) else secret.value.reveal()
    given = {"sub": "user-1", "exp": int(time.time()) + 60} | claims
    return jwt.encode({name: value for name, value in given.items() if value is not None}, key, algorithm="HS256")


# Keys and websites


async def test_a_widgets_key_and_website_give_a_visitor_a_pass(arrival: Arrival) -> None:
    given = await token(arrival)

    visitor = await bearer(arrival, given)
    key_id = arrival.stored.keys[arrival.tenant_id, hash_of(arrival.widget_key)].id
    assert visitor == Visitor(arrival.tenant_id, arrival.new.assistant.id, given.visitor_id, SITE, 100, key_id=key_id)
    assert (given.expires_in, given.returning) == (3_600, False)


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        (None, "origin_required"),
        ("null", "origin_required"),
        ("https://evil.example", "origin_not_allowed"),
        ("https://acme.example.evil.org", "origin_not_allowed"),
        ("http://localhost:3000", "origin_not_allowed"),
    ],
)
async def test_from_elsewhere_the_key_opens_nothing(arrival: Arrival, origin: str | None, code: str) -> None:
    visits = arrival.visits()

    assert await refusal(visits.visit(arrival.widget_key, origin)) == code
    assert await refusal(visits.chat_token(arrival.widget_key, origin, None)) == code


async def test_a_secret_key_is_no_widgets_key(arrival: Arrival) -> None:
    assert await refusal(arrival.visits().visit(arrival.secret_key, SITE)) == "unknown_key"


async def test_a_change_of_the_widget_is_seen_at_the_next_visit_in_every_process(arrival: Arrival) -> None:
    processes = [arrival.visits() for _ in range(2)]
    for visits in processes * 3:
        await visits.visit(arrival.widget_key, SITE)
    arrival.change_widget(allowed_domains=("other.example",))
    unseen = [(await visits.visit(arrival.widget_key, SITE)).origin for visits in processes]

    await arrival.keys().revoke(arrival.tenant_id, (await arrival.keys().all(arrival.tenant_id))[0].id)

    assert unseen == [SITE, SITE]  # so it was kept
    for visits in processes:
        assert await refusal(visits.visit(arrival.widget_key, SITE)) in ("origin_not_allowed", "key_revoked")


# Anonymous visitors


async def test_a_returning_visitor_keeps_their_id_and_a_new_one_gets_a_new_one(arrival: Arrival) -> None:
    returning = uuid4()

    given = [await token(arrival, id_) for id_ in (returning, None, None)]

    assert (given[0].visitor_id, given[0].returning) == (returning, True)
    assert len({pass_.visitor_id for pass_ in given}) == 3


async def test_a_blocked_visitor_gets_no_pass_until_they_are_unblocked(arrival: Arrival) -> None:
    blocked, other = VisitorId(uuid4()), uuid4()
    place = (arrival.tenant_id, blocked)
    arrival.visitors.visitors[place] = KnownVisitor(blocked, NOON, NOON)
    arrival.visitors.blocks[place] = Block("Insults", NOON)
    secret = await a_secret(arrival)

    assert await refusal(token(arrival, blocked)) == "visitor_blocked"
    assert await refusal(token(arrival, blocked, signed(secret))) == "visitor_blocked"
    assert (await token(arrival, other)).visitor_id == other
    del arrival.visitors.blocks[place]
    assert (await token(arrival, blocked)).visitor_id == blocked


# Identities


async def test_a_signed_identity_is_the_same_visitor_on_every_device(arrival: Arrival) -> None:
    secret = await a_secret(arrival)
    claims = {"email": "ada@acme.example", "name": "Ada"}

    phone = await token(arrival, proof=signed(secret, **claims))
    laptop = await token(arrival, proof=SignedId("user-1", hash_of_user("user-1", secret.value)))

    assert phone.visitor_id == laptop.visitor_id
    assert (await bearer(arrival, laptop)).external_id == "user-1"
    kept = arrival.visitors.visitors[arrival.tenant_id, phone.visitor_id]
    assert (kept.external_id, kept.email, kept.name) == ("user-1", "ada@acme.example", "Ada")


async def test_an_anonymous_visitor_who_says_who_they_are_keeps_their_id(arrival: Arrival) -> None:
    secret, before = await a_secret(arrival), await token(arrival)

    known = await token(arrival, before.visitor_id, signed(secret))

    assert (known.visitor_id, known.returning) == (before.visitor_id, True)


async def test_an_anonymous_visitor_who_turns_out_to_be_known_is_merged_into_them(arrival: Arrival) -> None:
    secret = await a_secret(arrival)
    known = await token(arrival, proof=signed(secret))
    before = VisitorId(uuid4())
    arrival.visitors.visitors[arrival.tenant_id, before] = KnownVisitor(before, NOON, NOON)

    merged = await token(arrival, before, signed(secret))
    again = await token(arrival, before, signed(secret))

    assert {(given.visitor_id, given.returning) for given in (merged, again)} == {(known.visitor_id, True)}
    assert not (await token(arrival, before)).returning


async def test_the_id_of_a_known_visitor_is_not_enough_to_be_them(arrival: Arrival) -> None:
    secret = await a_secret(arrival)
    known = await token(arrival, proof=signed(secret))

    logged_out = await token(arrival, known.visitor_id)
    somebody_else = await token(arrival, known.visitor_id, signed(secret, sub="user-2"))

    assert len({known.visitor_id, logged_out.visitor_id, somebody_else.visitor_id}) == 3
    assert not logged_out.returning
    assert not somebody_else.returning


async def test_a_blocked_visitor_is_blocked_on_every_device(arrival: Arrival) -> None:
    secret = await a_secret(arrival)
    known = await token(arrival, proof=signed(secret))
    arrival.visitors.blocks[arrival.tenant_id, known.visitor_id] = Block("Insults", NOON)

    assert await refusal(token(arrival, proof=signed(secret))) == "visitor_blocked"


async def test_a_widget_may_require_an_identity(arrival: Arrival) -> None:
    secret = await a_secret(arrival)
    arrival.change_widget(require_identity=True)

    assert await refusal(token(arrival)) == "identity_required"
    assert await refusal(token(arrival, uuid4())) == "identity_required"
    assert (await bearer(arrival, await token(arrival, proof=signed(secret)))).external_id == "user-1"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1_000_000_000}, "identity_expired"),
        ({"exp": None}, "identity_invalid"),
        ({"exp": "soon"}, "identity_invalid"),
        ({"nbf": 9_999_999_999}, "identity_invalid"),
        ({"sub": None}, "identity_invalid"),
        ({"sub": ""}, "identity_invalid"),
        ({"sub": "a" * 201}, "identity_invalid"),
        ({"sub": "a\0"}, "identity_invalid"),
        ({"sub": ["user-1"]}, "identity_invalid"),
        ({"sub": True}, "identity_invalid"),
        ({"email": "a" * 255}, "identity_invalid"),
        ({"name": {"first": "Ada"}}, "identity_invalid"),
        ({"name": "a" * 201}, "identity_invalid"),
    ],
)
async def test_an_identity_with_a_mistake_is_refused(arrival: Arrival, claims: dict[str, object], code: str) -> None:
    secret = await a_secret(arrival)

    assert await refusal(token(arrival, proof=signed(secret, **claims))) == code
    assert arrival.visitors.visitors == {}


async def test_an_id_may_be_a_number_under_either_name(arrival: Arrival) -> None:
    secret = await a_secret(arrival)
    stated: list[dict[str, object]] = [{"sub": 42}, {"sub": None, "user_id": 42}, {"sub": None, "user_id": "42"}]

    given = [await token(arrival, proof=signed(secret, **claims)) for claims in stated]

    assert {(await bearer(arrival, each)).external_id for each in given} == {"42"}


async def test_a_forged_identity_is_refused(arrival: Arrival) -> None:
    secret = await a_secret(arrival)
    right = signed(secret)
    head, body, signature = right.split(".")
    unsigned = jwt.encode({"sub": "user-1", "exp": 9_999_999_999}, "", algorithm="none")
    stronger = jwt.encode({"sub": "user-1", "exp": 9_999_999_999}, secret.value.reveal(), algorithm="HS384")

    for forged in (
        signed("another secret of more than 32 bytes"), unsigned, stronger, f"{head}.{body}.", f"{head}.{signature}",
        "nonsense", "", "a" * 5_000, SignedId("user-1", "0" * 64), SignedId("user-1", "ß"),
        SignedId("user-2", hash_of_user("user-1", secret.value)),
    ):  # fmt: skip
        assert await refusal(token(arrival, proof=forged)) == "identity_invalid"


async def test_what_another_tenant_signed_is_refused(arrival: Arrival) -> None:
    await a_secret(arrival)
    other, _ = arrival.neighbour()
    theirs = await arrival.identities().add(other.tenant.id, timedelta())

    assert await refusal(token(arrival, proof=signed(theirs))) == "identity_invalid"
    proof = SignedId("user-1", hash_of_user("user-1", theirs.value))
    assert await refusal(token(arrival, proof=proof)) == "identity_invalid"


async def test_without_a_secret_no_identity_is_valid(arrival: Arrival) -> None:
    proof = SignedId("user-1", hash_of_user("user-1", Secret("")))

    assert await refusal(token(arrival, proof=signed("some secret of more than 32 bytes"))) == "identity_invalid"
    assert await refusal(token(arrival, proof=proof)) == "identity_invalid"


async def test_an_old_secret_goes_on_beside_the_new_for_the_overlap(arrival: Arrival) -> None:
    old = await a_secret(arrival)
    new = await a_secret(arrival, overlap=DAY)

    known = {(await token(arrival, proof=signed(secret))).visitor_id for secret in (old, new)}

    assert len(known) == 1
    arrival.clock.advance(DAY)
    assert await refusal(token(arrival, proof=signed(old))) == "identity_invalid"
    assert (await token(arrival, proof=signed(new))).visitor_id in known


async def test_at_most_five_secrets_are_in_force(arrival: Arrival) -> None:
    for _ in range(5):
        await a_secret(arrival, overlap=DAY)

    with pytest.raises(ChatConnectError) as refused:
        await a_secret(arrival, overlap=DAY)

    assert refused.value.code == "too_many_secrets"
