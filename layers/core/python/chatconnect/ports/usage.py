"""Where it is kept what tenants have used, and what they have capped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from chatconnect.domain.budget import Cap, Period
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.tenant import Plan


class Subject(StrEnum):
    """Whose usage is added up."""

    TENANT = "tenant"
    VISITOR = "visitor"
    CONVERSATION = "conversation"


@dataclass(frozen=True, slots=True)
class Total:
    """What was used in a day or month, in UTC, from `starts_on` on; money in millionths of a US dollar.

    An answer counts on the day on which it began, with all that was spent on it; what was embedded of documents, on
    its own day and in figures of its own.
    """

    starts_on: date
    answers: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    cost_microusd: int
    embedding_tokens: int = 0
    embedding_cost_microusd: int = 0


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a tenant has now: documents, the bytes of the files of all their versions that are kept, and members."""

    documents: int
    storage_bytes: int
    members: int


class Plans(Protocol):
    """What tenants can pay for."""

    async def offered(self) -> Sequence[Plan]:
        """Return all plans, the smallest first. Raises Unavailable."""
        ...


class UsageRecords(Protocol):
    """One tenant's running totals and caps."""

    async def totals(
        self, subject: Subject, subject_id: UUID, period: Period, *, since: date, until: date
    ) -> Sequence[Total]:
        """Return the totals of the days or months that begin from `since` to `until`, newest first.

        Where nothing was used there is none. For the tenant `subject_id` is its own id.
        """
        ...

    async def holdings(self) -> Holdings:
        """Return what the tenant has now."""
        ...

    async def save_caps(self, caps: Sequence[Cap]) -> None:
        """Keep these caps, which the plan brings along, in place of all earlier ones.

        There is at most one of whom, what and how long.
        """
        ...


UsageRecordsOf = Callable[[TenantId], UsageRecords]
