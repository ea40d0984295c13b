"""Caps in Redis: one script reserves, one settles, each in one round trip.

All that is kept of a tenant is two keys with the tenant as their hash tag, so a cluster has them on one node:
`{tenant}:budget`, a hash of a counter and its period's start per cap and of the open reservations, and
`{tenant}:budget:ends`, which says when these are given back. Counters that are not there (a new tenant, a Redis that
lost its memory) begin with what Postgres's running totals say.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from typing import Any

from chatconnect.adapters.redis import AWAY, RedisDatabase
from chatconnect.domain.budget import SHORTEST_ANSWER, Cap, Measure, Period
from chatconnect.domain.errors import Unavailable
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.budgets import Amounts, Reservation, SpentSoFar, Wanted

LIFETIME_SECONDS = 300  # longer than any answer

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
        self._reserve, self._settle = _Script("reserve.lua"), _Script("settle.lua")

    async def reserve(self, tenant_id: TenantId, caps: Sequence[Cap], wanted: Wanted) -> Reservation:
        """Set aside the worst case, with the output cut to what the caps leave. Raises LimitReached."""
        passed = Reservation(tenant_id, wanted.answer_id, tuple(caps), wanted.at, wanted.max_tokens)
        if not caps or self._database.resting:
            return passed
        try:
            outcome = await self._ask(tenant_id, caps, wanted, None)
            if outcome[0] == b"unknown":
                spent = await self._spent_so_far(tenant_id, wanted.at)
                outcome = await self._ask(tenant_id, caps, wanted, spent)
        except AWAY as error:
            self._database.failed()
            self._on_fault("caps are not enforced: the counter is away", error)
            return passed
        except Unavailable as error:
            self._on_fault("caps are not enforced: the totals are away", error)
            return passed
        if outcome[0] == b"reached":
            raise _named(caps, outcome[1]).reached(wanted.at)
        _, output, warnings = outcome
        return Reservation(
            tenant_id,
            wanted.answer_id,
            tuple(caps),
            wanted.at,
            int(output),
            tuple(_named(caps, name) for name in warnings),
        )

    async def settle(self, reservation: Reservation, used: Amounts) -> None:
        """Count what was really used in place of what was set aside. Quiet when Redis is away."""
        if not reservation.caps or self._database.resting:
            return
        arguments: list[str | int] = [str(reservation.answer_id)]
        for cap in reservation.caps:
            arguments += [cap.name, _start(cap, reservation.at), used.get(cap.measure, 0)]
        try:
            await self._settle(self._database, reservation.tenant_id, arguments)
        except AWAY as error:
            self._database.failed()
            self._on_fault("an answer is not counted against the caps", error)

    async def _ask(
        self,
        tenant_id: TenantId,
        caps: Sequence[Cap],
        wanted: Wanted,
        spent: Mapping[tuple[Measure, Period], int] | None,
    ) -> Any:
        price = wanted.price
        arguments: list[str | int] = [
            str(wanted.answer_id),
            self._lifetime,
            wanted.prompt_tokens,
            wanted.max_tokens,
            SHORTEST_ANSWER,
            price.input if price else 0,
            price.output if price else 0,
            0 if spent is None else 1,
        ]
        for cap in caps:
            used = (spent or {}).get((cap.measure, cap.period), 0)
            arguments += [cap.name, cap.measure.value, _start(cap, wanted.at), cap.soft, cap.hard, used]
        return await self._reserve(self._database, tenant_id, arguments)


class _Script:
    """A script of this folder, which Redis keeps under its digest."""

    def __init__(self, name: str) -> None:
        self._text = files(__package__).joinpath(name).read_text("utf-8")
        self._registered: tuple[object, Any] | None = None

    async def __call__(self, database: RedisDatabase, tenant_id: TenantId, arguments: Sequence[str | int]) -> Any:
        client = database.client()
        if self._registered is None or self._registered[0] is not client:
            self._registered = (client, client.register_script(self._text))
        keys = [f"{{{tenant_id}}}:budget", f"{{{tenant_id}}}:budget:ends"]
        return await self._registered[1](keys=keys, args=arguments)


def _start(cap: Cap, at: datetime) -> int:
    return int(cap.period.start(at).timestamp())


def _named(caps: Sequence[Cap], name: bytes) -> Cap:
    return next(cap for cap in caps if cap.name == name.decode())
