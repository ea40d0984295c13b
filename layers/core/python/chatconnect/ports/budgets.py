"""What the services need to keep tenants within their caps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chatconnect.domain.budget import Cap, Measure, Period
from chatconnect.domain.identifiers import MessageId, TenantId
from chatconnect.domain.pricing import Price

Amounts = Mapping[Measure, int]
"""So many messages, tokens, micro-dollars."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer may take at worst: its prompt and at most `max_tokens` of output. No price: it costs nothing."""

    answer_id: MessageId
    prompt_tokens: int
    max_tokens: int
    price: Price | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was set aside for an answer. `max_tokens` is how long it may be, `warnings` the caps nearly used up.

    `caps` and `at` say where it counts.
    """

    tenant_id: TenantId
    answer_id: MessageId
    caps: tuple[Cap, ...]
    at: datetime
    max_tokens: int
    warnings: tuple[Cap, ...] = ()


class Budgets(Protocol):
    """Counts against caps before anything is spent. However many ask at once, no cap is overshot."""

    async def reserve(self, tenant_id: TenantId, caps: Sequence[Cap], wanted: Wanted) -> Reservation:
        """Set aside the worst case, with the output cut to what the caps leave, or all or nothing.

        What is never settled is given back after some minutes. Raises LimitReached for the first cap that leaves too
        little. When the counter is away everything passes: the running totals tell afterwards what was used.
        """
        ...

    async def settle(self, reservation: Reservation, used: Amounts) -> None:
        """Count what was really used in place of what was set aside; to be called once. Quiet when it is away."""
        ...


class SpentSoFar(Protocol):
    """The truth about what was used, for a counter that knows nothing yet."""

    async def __call__(self, tenant_id: TenantId, at: datetime) -> Mapping[tuple[Measure, Period], int]:
        """Return what a tenant has used in the day and in the month of `at`; periods that are not known are left out.

        Raises Unavailable.
        """
        ...
