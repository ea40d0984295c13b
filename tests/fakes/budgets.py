"""Caps in memory, without periods: a test's time is one of each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from chatconnect.domain.budget import SHORTEST_ANSWER, Cap, Measure
from chatconnect.domain.identifiers import MessageId, TenantId
from chatconnect.ports.budgets import Amounts, Reservation, Wanted


@dataclass
class MemoryBudgets:
    """What all tenants have used, and what is set aside for answers under way."""

    used: Counter[tuple[TenantId, Measure]] = field(default_factory=Counter)
    held: dict[MessageId, Counter[Measure]] = field(default_factory=dict)

    async def reserve(self, tenant_id: TenantId, caps: Sequence[Cap], wanted: Wanted) -> Reservation:
        output, price = wanted.max_tokens, wanted.price
        for cap in caps:
            left = cap.hard - self.used[tenant_id, cap.measure]
            if cap.measure is Measure.MESSAGES and left < 1:
                raise cap.reached(wanted.at)
            if cap.measure is Measure.TOKENS:
                output = min(output, left - wanted.prompt_tokens)
            if cap.measure is Measure.MONEY and price:
                output = min(output, (left * 1_000_000 - wanted.prompt_tokens * price.input) // price.output)
            if output < min(SHORTEST_ANSWER, wanted.max_tokens):
                raise cap.reached(wanted.at)
        warnings = tuple(cap for cap in caps if self.used[tenant_id, cap.measure] >= cap.soft)
        cost = price.of(input_tokens=wanted.prompt_tokens, output_tokens=output) if price else 0
        amounts = {Measure.MESSAGES: 1, Measure.TOKENS: wanted.prompt_tokens + output, Measure.MONEY: cost}
        self.held[wanted.answer_id] = Counter(amounts)
        self._add(tenant_id, amounts, 1)
        return Reservation(tenant_id, wanted.answer_id, tuple(caps), wanted.at, output, warnings)

    async def settle(self, reservation: Reservation, used: Amounts) -> None:
        self._add(reservation.tenant_id, self.held.pop(reservation.answer_id), -1)
        self._add(reservation.tenant_id, used, 1)

    def _add(self, tenant_id: TenantId, amounts: Amounts, sign: int) -> None:
        for measure, amount in amounts.items():
            self.used[tenant_id, measure] += sign * amount
