"""What the services need to keep tenants within their caps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chatconnect.domain.budget import SHORTEST_ANSWER, Cap, Left, Measure, Period, Whose
from chatconnect.domain.identifiers import MessageId, TenantId
from chatconnect.domain.pricing import Price
from chatconnect.domain.tenant import Plan
from chatconnect.ports.traffic import Rate

Amounts = Mapping[Measure, int]
"""So many messages, tokens, micro-dollars."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a call of a model may take at worst: its prompt and at most `max_tokens` of output.

    No price: it costs nothing. `shortest` is how short the output may be cut, `messages` how many messages it stands
    for: one is the answer itself, none something beside an answer. `asked_by` are, beside the tenant, those whose use
    it is; `opens`: its conversation is new, so that nothing can have been used in it.
    """

    answer_id: MessageId
    prompt_tokens: int
    max_tokens: int
    price: Price | None
    at: datetime
    shortest: int = SHORTEST_ANSWER
    messages: int = 1
    asked_by: Mapping[Whose, UUID] = field(default_factory=dict, hash=False)
    opens: bool = False


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was set aside for an answer: `wanted`, of it at most `max_tokens` of output.

    `warnings` are the caps nearly used up, `caps` those that it counts against, `left` what the rate and the caps of
    messages still allow after it, as far as somebody counts. `plan` is what its tenant pays for.
    """

    tenant_id: TenantId
    wanted: Wanted
    caps: tuple[Cap, ...]
    max_tokens: int
    warnings: tuple[Cap, ...] = ()
    left: tuple[Left, ...] = ()
    plan: Plan | None = None


class Budgets(Protocol):
    """Counts against caps before anything is spent. However many ask at once, no cap is overshot."""

    async def reserve(
        self, tenant_id: TenantId, caps: Sequence[Cap], wanted: Wanted, rate: Rate | None = None
    ) -> Reservation:
        """Set aside the worst case, with the output cut to what the caps leave, or all or nothing.

        Caps of whom nobody asks (of a visitor, when a server does) do not count.
        With a rate the request is counted against it first, in the same round trip; one too many sets nothing aside.
        What is never settled is given back after some minutes. Raises LimitReached for the rate, or for the first cap
        that leaves too little. When the counter is away everything passes: the running totals tell afterwards what was
        used.
        """
        ...

    async def extend(self, reservation: Reservation, further: Wanted, taken: Amounts) -> int:
        """Let the reservation hold the worst case of a further call beside `taken`, and return its output tokens.

        `taken` is what the answer's other calls took or still may take. Also begins a reservation that there is not,
        such as one that was made up for what comes beside an answer. Raises LimitReached, and then holds what it held.
        When the counter is away everything passes.
        """
        ...

    async def settle(self, reservation: Reservation, used: Amounts) -> None:
        """Count what was really used in place of what was set aside; to be called once. Quiet when it is away."""
        ...


class SpentSoFar(Protocol):
    """The truth about what was used, for a counter that knows nothing yet."""

    async def __call__(
        self, tenant_id: TenantId, at: datetime, of: tuple[Whose, UUID] | None = None
    ) -> Mapping[tuple[Measure, Period], int]:
        """Return what a tenant, or one of those who ask it, has used in the day and in the month of `at`.

        Periods that are not known are left out. Raises Unavailable.
        """
        ...
