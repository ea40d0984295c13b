"""The audit log, and what a request says of itself to it.

Nobody writes a line of it in Python, but for the few things that change no row: the database's triggers do, in the
transaction of the change. They take who, from where and which trace from what this process knows of the request.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chatconnect.domain.audit import Actor, ActorKind, AuditEntry, AuditFilters, Origin
from chatconnect.domain.identifiers import AccountId, TenantId

origin: ContextVar[Origin | None] = ContextVar("origin", default=None)
"""Of the request that is being handled; none for jobs, and where nothing that the log tells of can happen."""


def acts(kind: ActorKind, actor_id: UUID) -> None:
    """Note who makes the request, once that is proved. Does nothing where nothing is told of."""
    known = origin.get()
    if known is not None:
        origin.set(replace(known, actor=Actor(kind, actor_id)))


@dataclass(frozen=True, slots=True)
class AuditPlace:
    """A line's place in the order of the log."""

    at: datetime
    id: UUID


class AuditLog(Protocol):
    """One tenant's log. Everything raises Unavailable."""

    async def page(self, filters: AuditFilters, *, before: AuditPlace | None, limit: int) -> Sequence[AuditEntry]:
        """Return up to `limit` lines, newest first, those before a place when there is one."""
        ...

    async def note_export(self, form: str) -> None:
        """Add the line "audit.exported": somebody took lines out in this form."""
        ...


AuditLogOf = Callable[[TenantId], AuditLog]


class RefusedLogIns(Protocol):
    """Where log-ins that failed are told of."""

    async def note_refusal(self, account_id: AccountId | None) -> None:
        """Add the line "session.refused" to the log of each tenant that the account has a place in.

        None: nobody is known by that address. It costs the same round trip.
        """
        ...
