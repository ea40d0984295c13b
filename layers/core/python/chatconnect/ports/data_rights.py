"""Where people's data is, for exporting and erasing it, and what is recorded of such requests."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from chatconnect.domain.data_rights import DataRequest, Retention
from chatconnect.domain.identifiers import DataRequestId, TenantId, VisitorId

Counts = Mapping[str, int]


class DataRequests(Protocol):
    """One tenant's requests."""

    async def add(self, request: DataRequest) -> DataRequest:
        """Store a request and return it; the one of its kind and visitor that is under way, if there is one."""
        ...

    async def get(self, request_id: DataRequestId) -> DataRequest:
        """Return the request. Raises NotFound."""
        ...

    async def newest(self, *, tenant_wide: bool, limit: int, before: DataRequestId | None) -> Sequence[DataRequest]:
        """Return requests, newest first; `before` is the id of one. Those of the whole tenant only if `tenant_wide`."""
        ...

    async def claim(self, at: datetime, until: datetime, only: DataRequestId | None = None) -> DataRequest | None:
        """Take a request that is due, for oneself until then; None when none is due (or `only` that one is not)."""
        ...

    async def save(self, request: DataRequest, held_until: datetime | None) -> None:
        """Store how a request stands. Raises Conflict when the run no longer has it, which it had `held_until` then."""
        ...

    async def cancel(self, request_id: DataRequestId, at: datetime) -> bool:
        """Call a waiting request off; False when it is not waiting."""
        ...

    async def exports_with(self, visitors: Collection[VisitorId], until: datetime) -> Sequence[DataRequest]:
        """Return the exports, done or under way, that may contain one of the visitors and were asked for until then."""
        ...

    async def void(self, request_id: DataRequestId) -> None:
        """Have an export be over: its archive is gone, or will never be made."""
        ...


DataRequestsOf = Callable[[TenantId], DataRequests]


class DueRequests(Protocol):
    """Which tenants have requests that are due."""

    async def tenants(self, at: datetime) -> Sequence[TenantId]:
        """Return the tenants of requests that are due, erased ones too."""
        ...


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose rows: those of some visitors with their conversations, or (None) all of the tenant's.

    `before`: only what began before that moment.
    """

    visitors: tuple[VisitorId, ...] | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a table as JSON texts, and the key of the last one, to go on with; None: that was all."""

    lines: Sequence[str]
    after: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Original:
    """The file of a document version: where it lies, and what it is called in an archive."""

    version_id: UUID
    key: str
    name: str


class Records(Protocol):
    """One tenant's rows, table by table. A table that is added later is among them without anybody thinking of it."""

    async def people(self, visitor_id: VisitorId) -> tuple[VisitorId, ...]:
        """Return all ids of a person, first that of the visitor whom the others turned out to be. Raises NotFound."""
        ...

    async def exported_tables(self, whose: Whose) -> Sequence[str]:
        """Return the tables of which an archive has rows, in a fixed order."""
        ...

    async def page(self, table: str, whose: Whose, *, after: Sequence[str] | None, limit: int) -> Page:
        """Return rows of a table in the order of its key, without what is secret."""
        ...

    async def originals(self, after: UUID | None, limit: int) -> Sequence[Original]:
        """Return files of documents that may be there, in a fixed order."""
        ...

    async def count(self, whose: Whose) -> Counts:
        """Return how many rows there are by table, without those where there are none."""
        ...

    async def unfinished(self, whose: Whose) -> Sequence[UUID]:
        """Return the answers that are being made."""
        ...

    async def recent_ids(self, whose: Whose, since: datetime) -> Sequence[UUID]:
        """Return the ids that keys of the short memory may have: conversations, and messages since then."""
        ...

    async def erase_some(self, whose: Whose, request: DataRequest, limit: int) -> Counts:
        """Remove up to so many conversations or rows with what hangs on them; return how many rows; none: all is gone.

        What was removed by table is added to `progress["erased"]` of the request in the same transaction. Raises
        Conflict when something was written meanwhile that hangs on what is removed: then nothing is.
        """
        ...

    async def erase_older(self, before: datetime, limit: int) -> Counts:
        """Remove up to so many conversations without a message since then; and of visitors who have none, the rows."""
        ...

    async def prune_audit(self, limit: int) -> int:
        """Remove up to so many lines of the audit log that are older than the tenant keeps them; return how many."""
        ...


RecordsOf = Callable[[TenantId], Records]


class Archives(Protocol):
    """The bucket that archives are written to, part by part."""

    async def begin(self, key: str) -> str:
        """Return the id of a new upload. Raises Unavailable."""
        ...

    async def is_open(self, key: str, upload: str) -> bool:
        """Say whether an upload is neither completed nor given up. Raises Unavailable."""
        ...

    async def put_part(self, key: str, upload: str, number: int, content: bytes) -> str:
        """Store a part (5 MiB at least unless it is the last; from 1) and return its tag; again replaces it."""
        ...

    async def complete(self, key: str, upload: str, tags: Sequence[str]) -> None:
        """Make the object of the parts."""
        ...

    async def link(self, key: str, *, name: str, seconds: int) -> str:
        """Return an address that gives the archive, to be saved under a name, for so long."""
        ...

    def keys(self, tenant_id: TenantId) -> AsyncIterator[str]:
        """Yield the keys of the tenant's archives, also of former versions and unfinished uploads."""
        ...

    async def remove(self, key: str) -> None:
        """Remove an archive with all versions and unfinished uploads; none is no error. Raises Unavailable."""
        ...


class Traces(Protocol):
    """What the short memory keeps under a tenant's keys."""

    async def count(self, tenant_id: TenantId, ids: Collection[UUID] | None) -> int:
        """Return how many keys or fields name one of the ids (None: how many keys there are). Raises Unavailable."""
        ...

    async def erase(self, tenant_id: TenantId, ids: Collection[UUID] | None) -> int:
        """Remove them and return how many; what was kept of searches and answers goes, too. Raises Unavailable."""
        ...


class Seal(Protocol):
    """The server's signature under a receipt."""

    async def sign(self, receipt: Mapping[str, Any]) -> str:
        """Return the signature. Raises Unavailable."""
        ...

    async def is_good(self, receipt: Mapping[str, Any], signature: str) -> bool:
        """Say whether the signature is ours and the receipt unchanged. Raises Unavailable."""
        ...


class RetentionSettings(Protocol):
    """How long one tenant keeps what."""

    async def get(self) -> Retention:
        """Return the periods; without any, everything is kept for ever."""
        ...

    async def save(self, retention: Retention) -> None:
        """Keep these in place of the earlier ones."""
        ...


RetentionOf = Callable[[TenantId], RetentionSettings]
