"""API keys say whose they claim to be, and nothing else."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.keys import KeyKind, hash_of, hint_of, make_key, tenant_claimed_by
from chatconnect.domain.secret import Secret
from tests.factories import NOON, a_key

TENANT = TenantId(new_id())


@given(st.uuids(), st.sampled_from(KeyKind))
def test_a_key_names_its_tenant(tenant_id: TenantId, kind: KeyKind) -> None:
    key = make_key(kind, tenant_id)

    assert key.reveal().startswith(kind.value)
    assert tenant_claimed_by(key, kind) == tenant_id


def test_two_keys_of_one_tenant_differ_and_so_do_their_hashes() -> None:
    keys = [make_key(KeyKind.SECRET, TENANT) for _ in range(100)]

    assert len({key.reveal() for key in keys}) == len({hash_of(key) for key in keys}) == 100


def test_a_key_of_the_other_kind_is_refused() -> None:
    with pytest.raises(Unauthenticated) as refused:
        tenant_claimed_by(make_key(KeyKind.PUBLISHABLE, TENANT), KeyKind.SECRET)

    assert refused.value.code == "unknown_key"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text[:-1],
        lambda text: text + "a",
        lambda text: text.upper(),
        lambda text: text[:-1] + "é",
        lambda text: text[:-1] + "\n",
        lambda text: " " + text,
        lambda text: "sk_live_" + "z" * 54,  # more than 128 bits
        lambda text: text.replace("sk_live_", ""),
    ],
)
def test_a_text_that_is_no_key_is_refused(change: Callable[[str], str]) -> None:
    text = make_key(KeyKind.SECRET, TENANT).reveal()

    with pytest.raises(Unauthenticated) as refused:
        tenant_claimed_by(Secret(change(text)), KeyKind.SECRET)

    assert refused.value.code == "unknown_key"


@given(st.text(max_size=80))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        tenant_claimed_by(Secret("pk_live_" + text + "!"), KeyKind.PUBLISHABLE)


def test_the_hint_shows_the_kind_and_four_characters_only() -> None:
    key = make_key(KeyKind.SECRET, TENANT)

    hint = hint_of(key)

    assert hint == f"sk_live_...{key.reveal()[-4:]}"


def test_a_key_ends_when_it_is_revoked_or_expires_whichever_is_first() -> None:
    soon, late = NOON + timedelta(seconds=1), NOON + timedelta(days=1)
    key, _ = a_key(TENANT, expires_at=late, revoked_at=soon)

    key.check_usable(NOON)
    with pytest.raises(Unauthenticated) as refused:
        key.check_usable(soon)

    assert refused.value.code == "key_revoked"


def test_a_key_without_an_end_stays_usable() -> None:
    key, _ = a_key(TENANT)

    key.check_usable(NOON + timedelta(days=10_000))
