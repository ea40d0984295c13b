"""What a company's books say after a soak: its turns, its running totals and its budgets, held against each other."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from redis.asyncio import Redis

from bench.faults import number_of
from bench.visits import INTERRUPTED, Visit
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.budget import Measure, Period
from chatconnect.domain.identifiers import TenantId

FIGURES = ("answers", "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "cost_microusd")
_POLL_SECONDS = 0.2

Totals = Counter[tuple[str, UUID, str, str, str]]

_SELECT_TURNS = """
SELECT q.text AS question, a.id, a.conversation_id, a.visitor_id, a.status, a.text, a.error_code, a.finish_reason,
       coalesce(a.created_at, q.created_at) AS created_at, (a.id IS NOT NULL)::int AS answers,
       coalesce(a.input_tokens, 0) AS input_tokens, coalesce(a.output_tokens, 0) AS output_tokens,
       coalesce(a.cached_tokens, 0) AS cached_tokens, coalesce(a.cache_write_tokens, 0) AS cache_write_tokens,
       coalesce(a.cost_microusd, 0) AS cost_microusd
FROM messages q LEFT JOIN messages a ON a.tenant_id = q.tenant_id AND a.parent_id = q.id AND a.role = 'assistant'
WHERE q.tenant_id = %(tenant)s AND q.role = 'user'
"""
_SELECT_TOTALS = """
SELECT subject, subject_id, period, starts_on::text, answers, input_tokens, output_tokens, cached_tokens,
       cache_write_tokens, cost_microusd
FROM usage_totals WHERE tenant_id = %(tenant)s
"""


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A question with its answer as they are stored; without an answer, its figures are 0 and the rest is None."""

    question: str
    id: UUID | None
    conversation_id: UUID | None
    visitor_id: UUID | None
    status: str | None
    text: str | None
    error_code: str | None
    finish_reason: str | None
    created_at: datetime
    answers: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    cost_microusd: int


@dataclass(frozen=True, slots=True)
class _Total:
    """A row of usage_totals."""

    subject: str
    subject_id: UUID
    period: str
    starts_on: str
    answers: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    cost_microusd: int


class Books:
    """One company's books."""

    def __init__(self, database: PostgresDatabase, redis: Redis, tenant_id: TenantId) -> None:
        self._database, self._redis, self._tenant_id = database, redis, tenant_id

    async def closed(self, seconds: float) -> None:
        """Wait until no answer is under way and nothing is reserved, for at most so long; what is left is a fault."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            turns, kept = await self.turns(), await self._budget()
            if all(turn.status != "pending" for turn in turns) and not any(name.startswith("open:") for name in kept):
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def turns(self) -> list[StoredTurn]:
        """Return every question with its answers, one row for each answer."""
        return await self._database.fetch(self._tenant_id, StoredTurn, _SELECT_TURNS, {})

    async def faults(self, visits: Sequence[Visit]) -> list[str]:
        """Say what is wrong with the books, given every question that the company was asked."""
        turns = await self.turns()
        totals = await self._database.fetch(self._tenant_id, _Total, _SELECT_TOTALS, {})
        return [*_turn_faults(turns, visits), *_total_faults(turns, totals, self._tenant_id), *await self._held(turns)]

    async def _budget(self) -> dict[str, str]:
        kept: Any = await self._redis.hgetall(f"{{{self._tenant_id}}}:budget")
        return {name.decode(): value.decode() for name, value in kept.items()}

    async def _held(self, turns: Sequence[StoredTurn]) -> list[str]:
        """Say where Redis disagrees with the messages, and what it still holds reserved."""
        kept = await self._budget()
        faults = [f"still reserved: {name}" for name in kept if name.startswith("open:")]
        if await self._redis.zcard(f"{{{self._tenant_id}}}:budget:ends"):
            faults.append("reservations have not ended")
        counters = {name: int(value) for name, value in kept.items() if f"{name}:start" in kept}
        if turns and not counters:
            faults.append("nothing was counted against the caps")
        for name, counted in counters.items():
            start = datetime.fromtimestamp(int(kept[f"{name}:start"]), UTC)
            taken = sum(_taken(turn, name) for turn in turns if turn.created_at >= start)
            if counted != taken:
                faults.append(f"the budget counts {counted} {name}, the messages say {taken}")
        return faults


def _taken(turn: StoredTurn, cap: str) -> int:
    measure, _, period = cap.partition("_per_")
    assert Period(period)
    match Measure(measure):
        case Measure.MESSAGES:
            return turn.answers
        case Measure.TOKENS:
            return turn.input_tokens + turn.output_tokens
        case Measure.MONEY:
            return turn.cost_microusd


def _turn_faults(turns: Sequence[StoredTurn], visits: Sequence[Visit]) -> list[str]:
    """Say which questions are not stored once with one answer that ended as its listener heard."""
    stored: dict[int, list[StoredTurn]] = {}
    for turn in turns:
        stored.setdefault(number_of(turn.question), []).append(turn)
    faults = [f"question {number} was never asked" for number in stored.keys() - {visit.number for visit in visits}]
    for visit in visits:
        rows = stored.get(visit.number, [])
        if len(rows) != 1:
            faults.append(f"question {visit.number} is stored {len(rows)} times")
        elif wrong := _difference(rows[0], visit):
            faults.append(f"question {visit.number} ({visit.script.fault}, {visit.manner}): {wrong}")
    return faults


def _difference(turn: StoredTurn, visit: Visit) -> str:
    if visit.answer_id and str(turn.id) != visit.answer_id:
        return "another answer is stored"
    known = visit.end is not None and INTERRUPTED not in visit.outcome
    if visit.end is not None and known:
        code, reason = visit.end.data.get("code"), visit.end.data.get("finish_reason", "error")
    else:
        code = visit.script.error
        reason = "error" if code else "stop"
    if (turn.error_code, turn.finish_reason) != (code, reason):
        return f"stored with {turn.error_code}, {turn.finish_reason}, not {code}, {reason}"
    if known and turn.text != visit.text:
        return "the stored text is not what was heard"
    ended_early = "partial" if turn.text or reason == "cancelled" else "failed"
    expected = "complete" if reason == "stop" else ended_early
    return "" if turn.status == expected else f"stored as {turn.status}, not {expected}"


def _total_faults(turns: Sequence[StoredTurn], totals: Sequence[_Total], tenant_id: TenantId) -> list[str]:
    """Say which running totals are not the sums over the messages."""
    expected: Totals = Counter()
    for turn in turns:
        if turn.status in (None, "pending"):
            continue
        day = turn.created_at.astimezone(UTC).date()
        for subject, of in (
            ("tenant", tenant_id),
            ("conversation", turn.conversation_id),
            ("visitor", turn.visitor_id),
        ):
            for period, start in (("day", day), ("month", day.replace(day=1))):
                if of is not None:
                    expected.update(
                        {(subject, of, period, start.isoformat(), name): getattr(turn, name) for name in FIGURES}
                    )
    found: Totals = Counter()
    for row in totals:
        key: Any = (row.subject, row.subject_id, row.period, row.starts_on)
        found.update({(*key, name): getattr(row, name) for name in FIGURES})
    wrong = [key for key in expected | found if expected[key] != found[key]]
    return [f"the {period}'s {name} of a {subject}: {found[key]}, the messages say {expected[key]}"
            for key in wrong for subject, _, period, _, name in [key]]  # fmt: skip
