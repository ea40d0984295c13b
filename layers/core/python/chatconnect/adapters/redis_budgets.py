"""Caps in Redis: one script reserves, one settles, each in one round trip; the first counts the request, too.

Each of whom caps hold for has a book: the tenant, and where it caps them its visitors, conversations and keys. A book
is two keys: `{tenant}:budget...`, a hash of a counter and its period's start per cap and of the open reservations,
and `...:ends`, which says when these are given back. The tenant is the hash tag of all of them, so a cluster has them
on one node. Counters that are not there (a new tenant, a new cap, a Redis that lost its memory) begin with what
Postgres's running totals say; of keys there are none, so they begin with nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chatconnect.adapters.redis import AWAY, RedisDatabase
from chatconnect.adapters.redis_rates import RATE_SCRIPT, WINDOW_MS, rate_key, too_many
from chatconnect.adapters.redis_scripts import RedisScript
from chatconnect.domain.budget import Cap, Left, Measure, Period, Whose
from chatconnect.domain.errors import Unavailable
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.budgets import Amounts, Reservation, SpentSoFar, Wanted
from chatconnect.ports.faults import OnFault
from chatconnect.ports.traffic import Rate

LIFETIME_SECONDS = 300  # longer than any answer
REQUESTS = "requests"
_NOTHING: Amounts = {}
# Longer than a reservation and than the period: what is forgotten then is over.
_KEPT_SECONDS = {Period.MINUTE: 600, Period.HOUR: 2 * 3_600, Period.DAY: 2 * 86_400, Period.MONTH: 35 * 86_400}


@dataclass(slots=True)
class _Book:
    """The caps of one of those whom caps hold for; `spent` is what was used so far, where that is known."""

    key: str
    of: tuple[Whose, UUID] | None
    spent: Mapping[tuple[Measure, Period], int] | None = None
    caps: list[Cap] = field(default_factory=list)

    @property
    def kept_seconds(self) -> int:
        return max(_KEPT_SECONDS[cap.period] for cap in self.caps)


@dataclass(frozen=True, slots=True)
class _Granted:
    """What a script gave: the output tokens, what to warn of, and what is left."""

    output: int
    warnings: tuple[Cap, ...]
    left: tuple[Left, ...]


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
        held = tuple(cap for cap in caps if cap.whose is Whose.TENANT or cap.whose in wanted.asked_by)
        passed = Reservation(tenant_id, wanted, held, wanted.max_tokens)
        if not held and rate is None:
            return passed
        granted = await self._asked(passed, wanted, _NOTHING, rate)
        if granted is None:
            return passed
        return replace(passed, max_tokens=granted.output, warnings=granted.warnings, left=granted.left)

    async def extend(self, reservation: Reservation, further: Wanted, taken: Amounts) -> int:
        """Hold a further call's worst case too, and return its output tokens. Raises LimitReached."""
        if not reservation.caps:
            return further.max_tokens
        granted = await self._asked(reservation, further, taken, None)
        return further.max_tokens if granted is None else granted.output

    async def settle(self, reservation: Reservation, used: Amounts) -> None:
        """Count what was really used in place of what was set aside. Quiet when Redis is away."""
        if not reservation.caps or self._database.resting:
            return
        books = _books(reservation)
        arguments: list[str | int] = [str(reservation.wanted.answer_id)]
        for book in books:
            arguments.append(len(book.caps))
            for cap in book.caps:
                arguments += [cap.name, _start(cap, reservation.wanted.at), used.get(cap.measure, 0)]
        try:
            await self._settle(self._database, _keys(books), arguments)
        except AWAY as error:
            self._database.failed()
            self._on_fault("an answer is not counted against the caps", error)

    async def _asked(
        self, reservation: Reservation, wanted: Wanted, taken: Amounts, rate: Rate | None
    ) -> _Granted | None:
        """Return what is granted, or None when nobody can say. Raises LimitReached."""
        if self._database.resting:
            return None
        tenant_id, books = reservation.tenant_id, _books(reservation)
        try:
            outcome = await self._ask(tenant_id, books, wanted, taken, rate)
            requests = _requests_left(rate, outcome)
            if outcome[0] == b"unknown":  # the request is counted by now
                unknown = [book for book in books if book.spent is None]
                spent = await asyncio.gather(*(self._spent_so_far(tenant_id, wanted.at, book.of) for book in unknown))
                for book, known in zip(unknown, spent, strict=True):
                    book.spent = known
                outcome = await self._ask(tenant_id, books, wanted, taken, None)
        except AWAY as error:
            self._database.failed()
            self._on_fault("caps are not enforced: the counter is away", error)
            return None
        except Unavailable as error:
            self._on_fault("caps are not enforced: the totals are away", error)
            return None
        if outcome[0] == b"slow" and rate is not None:
            raise too_many(rate, outcome[1])
        caps = {cap.name.encode(): cap for cap in reservation.caps}
        if outcome[0] == b"reached":
            raise caps[outcome[1]].reached(wanted.at)
        _, output, warnings, _, _, *left = outcome
        messages = (caps[name].left(count, wanted.at) for name, count in zip(left[::2], left[1::2], strict=True))
        return _Granted(int(output), tuple(caps[name] for name in warnings), (*requests, *messages))

    async def _ask(
        self, tenant_id: TenantId, books: Sequence[_Book], wanted: Wanted, taken: Amounts, rate: Rate | None
    ) -> Any:
        price, keys = wanted.price, _keys(books)
        if rate is not None:
            keys.append(rate_key(tenant_id, rate))
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
        ]
        for book in books:
            spent = book.spent or {}
            arguments += [0 if book.spent is None else 1, book.kept_seconds, len(book.caps)]
            for cap in book.caps:
                used = spent.get((cap.measure, cap.period), 0)
                arguments += [cap.name, cap.measure.value, _start(cap, wanted.at), cap.soft, cap.hard, used]
        return await self._reserve(self._database, keys, arguments)


def _books(reservation: Reservation) -> list[_Book]:
    """Return the books of a reservation, those with caps alone, the tenant's first."""
    found: dict[Whose, _Book] = {}
    for cap in reservation.caps:
        if (book := found.get(cap.whose)) is None:
            book = found[cap.whose] = _book(reservation, cap.whose)
        book.caps.append(cap)
    return list(found.values())


def _book(reservation: Reservation, whose: Whose) -> _Book:
    tenants, wanted = f"{{{reservation.tenant_id}}}:budget", reservation.wanted
    if whose is Whose.TENANT:
        return _Book(tenants, None)
    id_ = wanted.asked_by[whose]
    nothing_yet = whose is Whose.KEY or (whose is Whose.CONVERSATION and wanted.opens)
    return _Book(f"{tenants}:{whose}:{id_}", (whose, id_), {} if nothing_yet else None)


def _keys(books: Sequence[_Book]) -> list[str]:
    return [key for book in books for key in (book.key, f"{book.key}:ends")]


def _requests_left(rate: Rate | None, outcome: Any) -> tuple[Left, ...]:
    """Return what the rate still allows, where the script has come so far."""
    if rate is None or outcome[0] not in (b"reserved", b"unknown"):
        return ()
    return (Left(REQUESTS, rate.per_minute, WINDOW_MS / 1_000, outcome[3], outcome[4] / 1_000),)


def _start(cap: Cap, at: datetime) -> int:
    return int(cap.period.start(at).timestamp())
