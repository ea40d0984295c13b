"""Caps in Redis: one script reserves, one settles, each in one round trip; the first counts the request, too.

All that is kept of a tenant is two keys with the tenant as their hash tag, so a cluster has them on one node:
`{tenant}:budget`, a hash of a counter and its period's start per cap and of the open reservations, and
`{tenant}:budget:ends`, which says when these are given back. Counters that are not there (a new tenant, a new cap, a
Redis that lost its memory) begin with what Postgres's running totals say.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from chatconnect.adapters.redis import AWAY, RATE_SCRIPT, WINDOW_MS, RedisDatabase, rate_key, too_many
from chatconnect.adapters.redis_scripts import RedisScript
from chatconnect.domain.budget import Cap, Measure, Period
from chatconnect.domain.errors import Unavailable
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.budgets import Amounts, Reservation, SpentSoFar, Wanted
from chatconnect.ports.traffic import Rate

LIFETIME_SECONDS = 300  # longer than any answer
_NOTHING: Amounts = {}

OnFault = Callable[[str, BaseException], None]


class RedisBudgets:
    """Counts against caps. Losing Redis costs strictness, never an answer: then everything passes, and is logged."""

    def __init__(
        self,
        database: RedisDatabase,
        spent_so_far: SpentSoFar,
        *,
        on_fault: OnFault,
        lifetime_seconds: int = LIFETIME_SECONDS,
    ) -> None:
        self._database, self._spent_so_far = database, spent_so_far
        self._on_fault, self._lifetime = on_fault, lifetime_seconds
        self._reserve, self._settle = RedisScript(RATE_SCRIPT, "reserve.lua"), RedisScript("settle.lua")

    async def reserve(
        self, tenant_id: TenantId, caps: Sequence[Cap], wanted: Wanted, rate: Rate | None = None
    ) -> Reservation:
        """Count the request and set aside the worst case, the output cut to what is left. Raises LimitReached."""
        passed = Reservation(tenant_id, wanted, tuple(caps), wanted.max_tokens)
        if not caps and rate is None:
            return passed
        outcome = await self._asked(passed, wanted, _NOTHING, rate)
        if outcome is None:
            return passed
        output, warnings = outcome
        return Reservation(tenant_id, wanted, passed.caps, output, warnings)

    async def extend(self, reservation: Reservation, further: Wanted, taken: Amounts) -> int:
        """Hold a further call's worst case too, and return its output tokens. Raises LimitReached."""
        if not reservation.caps:
            return further.max_tokens
        outcome = await self._asked(reservation, further, taken, None)
        return further.max_tokens if outcome is None else outcome[0]

    async def settle(self, reservation: Reservation, used: Amounts) -> None:
        """Count what was really used in place of what was set aside. Quiet when Redis is away."""
        if not reservation.caps or self._database.resting:
            return
        arguments: list[str | int] = [str(reservation.wanted.answer_id)]
        for cap in reservation.caps:
            arguments += [cap.name, _start(cap, reservation.wanted.at), used.get(cap.measure, 0)]
        try:
            await self._settle(self._database, _keys(reservation.tenant_id), arguments)
        except AWAY as error:
            self._database.failed()
            self._on_fault("an answer is not counted against the caps", error)

    async def _asked(
        self, reservation: Reservation, wanted: Wanted, taken: Amounts, rate: Rate | None
    ) -> tuple[int, tuple[Cap, ...]] | None:
        """Return the output tokens and what to warn of, or None when nobody can say. Raises LimitReached."""
        if self._database.resting:
            return None
        tenant_id, caps = reservation.tenant_id, reservation.caps
        try:
            outcome = await self._ask(reservation, wanted, taken, rate, None)
            if outcome[0] == b"unknown":  # the request is counted by now
                spent = await self._spent_so_far(tenant_id, wanted.at)
                outcome = await self._ask(reservation, wanted, taken, None, spent)
        except AWAY as error:
            self._database.failed()
            self._on_fault("caps are not enforced: the counter is away", error)
            return None
        except Unavailable as error:
            self._on_fault("caps are not enforced: the totals are away", error)
            return None
        if outcome[0] == b"slow" and rate is not None:
            raise too_many(rate, outcome[1])
        if outcome[0] == b"reached":
            raise _named(caps, outcome[1]).reached(wanted.at)
        _, output, warnings = outcome
        return int(output), tuple(_named(caps, name) for name in warnings)

    async def _ask(
        self,
        reservation: Reservation,
        wanted: Wanted,
        taken: Amounts,
        rate: Rate | None,
        spent: Mapping[tuple[Measure, Period], int] | None,
    ) -> Any:
        price, keys = wanted.price, _keys(reservation.tenant_id)
        if rate is not None:
            keys.append(rate_key(reservation.tenant_id, rate))
        arguments: list[str | int] = [
            rate.per_minute if rate else 0,
            WINDOW_MS,
            str(wanted.answer_id),
            self._lifetime,
            wanted.messages,
            taken.get(Measure.TOKENS, 0),
            taken.get(Measure.MONEY, 0),
            wanted.prompt_tokens,
            wanted.max_tokens,
            wanted.shortest,
            price.dearest_input if price else 0,
            price.output if price else 0,
            0 if spent is None else 1,
        ]
        for cap in reservation.caps:
            used = (spent or {}).get((cap.measure, cap.period), 0)
            arguments += [cap.name, cap.measure.value, _start(cap, wanted.at), cap.soft, cap.hard, used]
        return await self._reserve(self._database, keys, arguments)


def _keys(tenant_id: TenantId) -> list[str]:
    return [f"{{{tenant_id}}}:budget", f"{{{tenant_id}}}:budget:ends"]


def _start(cap: Cap, at: datetime) -> int:
    return int(cap.period.start(at).timestamp())


def _named(caps: Sequence[Cap], name: bytes) -> Cap:
    return next(cap for cap in caps if cap.name == name.decode())
