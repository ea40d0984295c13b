"""A tenant with caps on a real Redis."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_budgets import RedisBudgets
from chatconnect.domain.budget import Cap, Measure, Period, Whose
from chatconnect.domain.identifiers import MessageId, TenantId, new_id
from chatconnect.domain.pricing import Price
from chatconnect.ports.budgets import Reservation, Wanted

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
PRICE = Price("openai", "gpt-5-mini", date(2026, 1, 1), 250_000, 25_000, 2_000_000)
MESSAGES = Cap(Measure.MESSAGES, Period.MINUTE, 10)
TOKENS = Cap(Measure.TOKENS, Period.DAY, 1_000)
MONEY = Cap(Measure.MONEY, Period.MONTH, 1_000)


@dataclass
class Company:
    """A new tenant and its caps.

    `spent` is what the running totals say, `spent_by` of those who ask; `faults` is what the operator is told.
    """

    budgets: RedisBudgets
    spent: dict[tuple[Measure, Period], int]
    spent_by: dict[tuple[Whose, UUID], dict[tuple[Measure, Period], int]]
    faults: list[str]
    id: TenantId = field(default_factory=lambda: TenantId(new_id()))

    async def reserves(
        self, *caps: Cap, prompt: int = 100, output: int = 100, price: Price | None = None, at: datetime = NOON
    ) -> Reservation:
        wanted = Wanted(MessageId(new_id()), prompt, output, price, at)
        return await self.budgets.reserve(self.id, caps, wanted)

    async def settles(self, reservation: Reservation, *, tokens: int = 0, money: int = 0) -> None:
        used = {Measure.MESSAGES: 1, Measure.TOKENS: tokens, Measure.MONEY: money}
        await self.budgets.settle(reservation, used)


def company_on(database: RedisDatabase, *, lifetime: int = 300) -> Company:
    spent: dict[tuple[Measure, Period], int] = {}
    spent_by: dict[tuple[Whose, UUID], dict[tuple[Measure, Period], int]] = {}
    faults: list[str] = []

    async def spent_so_far(
        tenant_id: TenantId, at: datetime, of: tuple[Whose, UUID] | None = None
    ) -> Mapping[tuple[Measure, Period], int]:
        return spent_by.get(of, {}) if of else spent

    budgets = RedisBudgets(
        database, spent_so_far, on_fault=lambda what, _: faults.append(what), lifetime_seconds=lifetime
    )
    return Company(budgets, spent, spent_by, faults)


@pytest.fixture
def acme(redis_database: RedisDatabase) -> Company:
    return company_on(redis_database)


def wanted() -> Wanted:
    return Wanted(MessageId(new_id()), 100, 100, None, NOON)


def by_visitor(visitor_id: UUID) -> dict[Whose, UUID]:
    return {Whose.VISITOR: visitor_id}
