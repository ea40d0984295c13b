"""What a tenant has used, what its plan allows, and how much of that the tenant lets itself use."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from chatconnect.domain.budget import Cap, Measure, Period, Whose
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import ConversationId, TenantId, VisitorId
from chatconnect.domain.tenant import Plan, Tenant
from chatconnect.ports.budgets import SpentSoFar
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.tenants import TenantsOf
from chatconnect.ports.usage import Holdings, Plans, Subject, Total, UsageRecordsOf
from chatconnect.services.changes import changing

LONGEST_DAYS = 366
SHOWN_DAYS = timedelta(days=30)
FIRST_DAY = date.min + SHOWN_DAYS  # before it the calendar has no stretch so long


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """What was used per day and per month, newest first."""

    days: Sequence[Total]
    months: Sequence[Total]


@dataclass(frozen=True, slots=True)
class CapState:
    """How a measure is capped in a period, by the plan and by the tenant itself, and what of it is used.

    `in_force` is the lower one. `used` is None where nothing is kept about so short a period, and where each visitor,
    conversation or key has its own.
    """

    plan: Cap | None
    own: Cap | None
    in_force: Cap
    used: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A tenant with its plan, and how much of that is used."""

    tenant: Tenant
    plan: Plan
    holdings: Holdings
    caps: Sequence[CapState]


class UsageService:
    """Shows tenants what there is to pay for and what they have used, and keeps their own caps."""

    def __init__(
        self,
        *,
        records_of: UsageRecordsOf,
        tenants_of: TenantsOf,
        plans: Plans,
        spent_so_far: SpentSoFar,
        epochs: Epochs,
        clock: Clock,
    ) -> None:
        self._records_of, self._tenants_of, self._spent_so_far = records_of, tenants_of, spent_so_far
        self._plans, self._epochs, self._clock = plans, epochs, clock

    async def plans(self) -> Sequence[Plan]:
        """Return all plans, the smallest first."""
        return await self._plans.offered()

    async def standing(self, tenant_id: TenantId) -> Standing:
        """Return the tenant with its plan and what of it is used now. Raises NotFound."""
        tenants = self._tenants_of(tenant_id)
        tenant, plan, holdings, used = await asyncio.gather(
            tenants.get(),
            tenants.plan(),
            self._records_of(tenant_id).holdings(),
            self._spent_so_far(tenant_id, self._clock()),
        )
        return Standing(tenant, plan, holdings, _states(plan, used))

    async def usage(
        self,
        tenant_id: TenantId,
        *,
        visitor_id: VisitorId | None = None,
        conversation_id: ConversationId | None = None,
        since: date | None = None,
        until: date | None = None,
    ) -> UsageTotals:
        """Return what the tenant, or one visitor or conversation of it, has used in the days from `since` to `until`.

        Left out, `until` is today and `since` thirty days before. Months are whole: those that the days lie in. Raises
        Invalid for a visitor and a conversation at once, and for more than a year.
        """
        if visitor_id is not None and conversation_id is not None:
            raise Invalid("usage is that of a visitor or of a conversation", details={"field": "visitor_id"})
        until = until or self._clock().date()
        since = since or max(until, FIRST_DAY) - SHOWN_DAYS
        if not 0 <= (until - since).days <= LONGEST_DAYS:
            raise Invalid(f"usage is shown of 1 to {LONGEST_DAYS} days", details={"field": "since"})
        subject: Subject = Subject.TENANT
        subject_id: UUID = tenant_id
        if visitor_id is not None:
            subject, subject_id = Subject.VISITOR, visitor_id
        elif conversation_id is not None:
            subject, subject_id = Subject.CONVERSATION, conversation_id
        records, month = self._records_of(tenant_id), since.replace(day=1)
        days, months = await asyncio.gather(
            records.totals(subject, subject_id, Period.DAY, since=since, until=until),
            records.totals(subject, subject_id, Period.MONTH, since=month, until=until),
        )
        return UsageTotals(days, months)

    async def caps(self, tenant_id: TenantId) -> Sequence[CapState]:
        """Return all caps, the tenant's own use first, by measure, the shortest period first. Raises NotFound."""
        plan, used = await asyncio.gather(
            self._tenants_of(tenant_id).plan(), self._spent_so_far(tenant_id, self._clock())
        )
        return _states(plan, used)

    async def set_caps(self, tenant_id: TenantId, caps: Sequence[Cap]) -> Sequence[CapState]:
        """Keep the tenant's own caps in place of its earlier ones; they hold from the next answer on.

        Raises Invalid for two caps of the same, and with code "cap_above_plan" for one that the plan does not allow.
        """
        by_plan = {_place(cap): cap.hard for cap in (await self._tenants_of(tenant_id).plan()).limits}
        places: set[tuple[Whose, Measure, Period]] = set()
        for cap in caps:
            place = _place(cap)
            if place in places:
                raise Invalid("each measure is capped once in each period", details={"field": "caps"})
            places.add(place)
            if cap.hard > by_plan.get(place, cap.hard):
                raise Invalid(
                    f"the plan allows {by_plan[place]:,} {cap.measure} per {cap.period}",
                    code="cap_above_plan",
                    details={"limit": cap.name, "highest": by_plan[place]},
                )
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await self._records_of(tenant_id).save_caps(caps)
        return await self.caps(tenant_id)


def _states(plan: Plan, used: Mapping[tuple[Measure, Period], int]) -> Sequence[CapState]:
    """Return all caps of a plan beside what of each is used."""
    by_plan, own = {_place(cap): cap for cap in plan.limits}, {_place(cap): cap for cap in plan.own_caps}
    states = []
    for cap in plan.caps:
        known = cap.whose is Whose.TENANT and cap.period in (Period.DAY, Period.MONTH)
        so_far = used.get((cap.measure, cap.period), 0) if known else None
        states.append(CapState(by_plan.get(_place(cap)), own.get(_place(cap)), cap, so_far))
    return states


def _place(cap: Cap) -> tuple[Whose, Measure, Period]:
    return cap.whose, cap.measure, cap.period
