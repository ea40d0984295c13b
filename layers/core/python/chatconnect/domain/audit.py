"""The audit log: who changed what, from where, and how it was before."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address, ip_network
from uuid import UUID

from chatconnect.domain.errors import Invalid

MAX_TEXT = 200
_KEPT_BITS = {4: 24, 6: 48}


class ActorKind(StrEnum):
    """Who changes something: `anonymous` has not proved who they are, `system` is no request at all."""

    MEMBER = "member"
    KEY = "key"
    OPERATOR = "operator"
    ANONYMOUS = "anonymous"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody, by the id of their account or key; `name` is their address or what the key is called."""

    kind: ActorKind
    id: UUID | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: the network of its client, its trace, and who it is once that is known."""

    address: str | None
    trace_id: str
    actor: Actor | None = None

    def as_text(self) -> str:
        """Return what a transaction says of itself, as JSON."""
        stated: dict[str, str | None] = {"address": self.address, "trace": self.trace_id or None}
        if self.actor is not None:
            stated |= {"actor": self.actor.kind, "id": str(self.actor.id) if self.actor.id else None}
        return json.dumps(stated)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after: null where there was none, "(hidden)" for a secret, long texts cut."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the log. `action` is stable: "key.revoked"."""

    id: UUID
    at: datetime
    actor: Actor
    action: str
    object_kind: str
    object_id: UUID | None
    object_name: str | None
    changes: Sequence[FieldChange]
    address: str | None
    trace_id: str | None


@dataclass(frozen=True, slots=True)
class AuditFilters:
    """Which lines are meant; what is left out holds for all.

    `action` is a whole action, or its part before the dot. `text` stands in the action, the object's name or a change.
    """

    actor_kind: ActorKind | None = None
    actor_id: UUID | None = None
    action: str | None = None
    object_kind: str | None = None
    object_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        for name in ("action", "object_kind", "text"):
            value = getattr(self, name)
            if value is not None and len(value) > MAX_TEXT:
                raise Invalid(f"{name} has at most {MAX_TEXT} characters", details={"field": name})


def network_of(address: str) -> str | None:
    """Return the network that an address is in, which says where somebody is but hardly who: /24 of IPv4, /48 of IPv6.

    None for what is no address, and for this computer's own.
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(parsed, "ipv4_mapped", None)
    parsed = mapped if mapped is not None else parsed
    if parsed.is_loopback:
        return None
    return str(ip_network((parsed, _KEPT_BITS[parsed.version]), strict=False))
