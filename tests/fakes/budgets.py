"""Caps in memory, without periods: a test's time is one of each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from chatconnect.domain.budget import Cap, Left, Measure, Whose
from chatconnect.domain.identifiers import MessageId, TenantId
from chatconnect.ports.budgets import Amounts, Reservation, Wanted
from chatconnect.ports.traffic import Rate
from tests.fakes.traffic import CountingRates

_MILLION = 1_000_000


@dataclass
class MemoryBudgets:
    """What all tenants, and those who ask them, have used, and what is set aside for answers under way.

    `peaks` is the most of both together.
    """

    rates: CountingRates = field(default_factory=CountingRates)
    used: Counter[tuple[UUID, Measure]] = field(default_factory=Counter)
    held: dict[MessageId, Counter[Measure]] = field(default_factory=dict)
    peaks: Counter[tuple[UUID, Measure]] = field(default_factory=Counter)
    extensions: list[Wanted] = field(default_factory=list)

    async def reserve(
        self, tenant_id: TenantId, caps: Sequence[Cap], wanted: Wanted, rate: Rate | None = None
    ) -> Reservation:
        if rate is not None:
            await self.rates.check(tenant_id, rate)
        owners = {Whose.TENANT: tenant_id, **wanted.asked_by}
        counting = tuple(cap for cap in caps if cap.whose in owners)
        warnings = tuple(cap for cap in counting if self.used[owners[cap.whose], cap.measure] >= cap.soft)
        output = self._hold(Reservation(tenant_id, wanted, counting, wanted.max_tokens), wanted, {})
        requests = (
            () if rate is None else (Left("requests", rate.per_minute, 60, self.rates.left(tenant_id, rate), 60),)
        )
        messages = (
            cap.left(cap.hard - self.used[owners[cap.whose], cap.measure], wanted.at)
            for cap in counting
            if cap.measure is Measure.MESSAGES
        )
        return Reservation(tenant_id, wanted, counting, output, warnings, (*requests, *messages))

    async def extend(self, reservation: Reservation, further: Wanted, taken: Amounts) -> int:
        self.extensions.append(further)
        return self._hold(reservation, further, taken)

    async def settle(self, reservation: Reservation, used: Amounts) -> None:
        self._add(reservation, self.held.pop(reservation.wanted.answer_id, Counter()), -1)
        self._add(reservation, used, 1)

    def _hold(self, reservation: Reservation, wanted: Wanted, taken: Amounts) -> int:
        output, price, before = wanted.max_tokens, wanted.price, self.held.get(wanted.answer_id)
        owners = {Whose.TENANT: reservation.tenant_id, **reservation.wanted.asked_by}
        for cap in reservation.caps:
            own = before[cap.measure] if before else 0
            left = cap.hard - self.used[owners[cap.whose], cap.measure] + own - taken.get(cap.measure, 0)
            if cap.measure is Measure.MESSAGES and before is None and left < wanted.messages:
                raise cap.reached(wanted.at)
            if cap.measure is Measure.TOKENS:
                output = min(output, left - wanted.prompt_tokens)
            if cap.measure is Measure.MONEY and price:
                output = min(output, (left * _MILLION - wanted.prompt_tokens * price.dearest_input) // price.output)
            if output < min(wanted.shortest, wanted.max_tokens):
                raise cap.reached(wanted.at)
        prompt = wanted.prompt_tokens
        cost = price.of(input_tokens=prompt, output_tokens=output, cache_write_tokens=prompt) if price else 0
        amounts = {
            Measure.MESSAGES: wanted.messages,
            Measure.TOKENS: taken.get(Measure.TOKENS, 0) + prompt + output,
            Measure.MONEY: taken.get(Measure.MONEY, 0) + cost,
        }
        self._add(reservation, before or {}, -1)
        self.held[wanted.answer_id] = Counter(amounts)
        self._add(reservation, amounts, 1)
        return output

    def _add(self, reservation: Reservation, amounts: Amounts, sign: int) -> None:
        for owner in (reservation.tenant_id, *reservation.wanted.asked_by.values()):
            for measure, amount in amounts.items():
                self.used[owner, measure] += sign * amount
                self.peaks[owner, measure] = max(self.peaks[owner, measure], self.used[owner, measure])
