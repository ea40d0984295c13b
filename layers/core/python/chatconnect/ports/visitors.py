"""Where visitors are kept, and which of them are blocked."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from chatconnect.domain.identifiers import TenantId, VisitorId
from chatconnect.domain.identity import Identity
from chatconnect.domain.visitor import Block, KnownVisitor, Recognised


class Visitors(Protocol):
    """One tenant's visitors. A block whose time is over is none."""

    async def get(self, visitor_id: VisitorId, at: datetime) -> KnownVisitor:
        """Return the visitor as of a moment. Raises NotFound."""
        ...

    async def find(self, visitor_id: VisitorId, at: datetime) -> KnownVisitor | None:
        """Return the visitor as of a moment; None for one who has neither written nor proven who they are."""
        ...

    async def recognise(self, identity: Identity, claimed: VisitorId | None, at: datetime) -> Recognised:
        """Return the one visitor of an identity, and keep what it says of them.

        An anonymous visitor with the id `claimed` becomes that visitor; where there is one already, from another device
        say, their conversations become that visitor's. A claimed id of somebody else is passed over.
        """
        ...

    async def list_blocked(
        self, at: datetime, *, limit: int = 20, before: datetime | None = None
    ) -> Sequence[KnownVisitor]:
        """Return the visitors who are blocked at a moment, the last blocked first; `before` is when one was blocked."""
        ...

    async def block(self, visitor_id: VisitorId, block: Block) -> None:
        """Keep the visitor from writing; replaces an earlier block. Raises NotFound."""
        ...

    async def unblock(self, visitor_id: VisitorId) -> None:
        """Let the visitor write again. Raises NotFound when they are not blocked."""
        ...

    async def is_blocked(self, visitor_id: VisitorId, at: datetime) -> bool:
        """Say whether a visitor, known or not, is blocked. Raises Unavailable."""
        ...

    async def blocked(self, at: datetime) -> Mapping[VisitorId, datetime | None]:
        """Return all who are blocked, and until when. Raises Unavailable."""
        ...


VisitorsOf = Callable[[TenantId], Visitors]
