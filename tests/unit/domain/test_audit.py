"""What the audit log keeps of where a request came from."""

import json
from collections.abc import Callable

import pytest

from chatconnect.domain.audit import Actor, ActorKind, AuditFilters, Origin, network_of
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import new_id


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("127.0.0.1", None),
        ("::1", None),
        ("testclient", None),
        ("", None),
    ],
)
def test_of_an_address_only_the_network_is_kept(address: str, network: str | None) -> None:
    assert network_of(address) == network


def test_an_origin_says_who_it_is_once_that_is_known() -> None:
    account = new_id()
    unknown = Origin("203.0.113.0/24", "abc")
    known = Origin(None, "", Actor(ActorKind.MEMBER, account))

    assert json.loads(unknown.as_text()) == {"address": "203.0.113.0/24", "trace": "abc"}
    assert json.loads(known.as_text()) == {"address": None, "trace": None, "actor": "member", "id": str(account)}


@pytest.mark.parametrize(
    "make",
    [
        lambda long: AuditFilters(action=long),
        lambda long: AuditFilters(object_kind=long),
        lambda long: AuditFilters(text=long),
    ],
)
def test_what_is_sought_is_no_novel(make: Callable[[str], AuditFilters]) -> None:
    make("x" * 200)

    with pytest.raises(Invalid):
        make("x" * 201)
