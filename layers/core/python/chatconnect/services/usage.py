"""What a tenant has used, and how much of it the tenant lets itself use."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from chatconnect.domain.budget import Cap, Measure, Period
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import ConversationId, TenantId, VisitorId
from chatconnect.ports.budgets import SpentSoFar
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.tenants import TenantsOf
from chatconnect.ports.usage import Subject, Total, UsageRecordsOf
from chatconnect.services.changes import changing

LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """What was used per day and per month, newest first."""

    days: Sequence[Total]
    months: Sequence[Total]


@dataclass(frozen=True, slots=True)
class CapState:
    """How a measure is capped in a period, by the plan and by the tenant itself, and what of it is used.

    `in_force` is the lower one. `used` is None where nothing is kept about so short a period.
    """

    plan: Cap | None
    own: Cap | None
    in_force: Cap
    used: int | None


class UsageService:
    """Shows a tenant what it has used, and keeps its own caps."""

    def __init__(
        self,
        *,
        records_of: UsageRecordsOf,
        tenants_of: TenantsOf,
        spent_so_far: SpentSoFar,
        epochs: Epochs,
        clock: Clock,
    ) -> None:
        self._records_of, self._tenants_of, self._spent_so_far = records_of, tenants_of, spent_so_far
        self._epochs, self._clock = epochs, clock

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
        since = since or until - timedelta(days=30)
        if not since <= until <= since + timedelta(days=LONGEST_DAYS):
            raise Invalid(f"usage is shown of 1 to {LONGEST_DAYS} days", details={"field": "since"})
        subject: Subject = Subject.TENANT
        subject_id: UUID = tenant_id
        if visitor_id is not None:
            subject, subject_id = Subject.VISITOR, visitor_id
        elif conversation_id is not None:
            subject, subject_id = Subject.CONVERSATION, conversation_id
        records, month = self._records_of(tenant_id), since.replace(day=1)
        return UsageTotals(
            await records.totals(subject, subject_id, Period.DAY, since=since, until=until),
            await records.totals(subject, subject_id, Period.MONTH, since=month, until=until),
        )

    async def caps(self, tenant_id: TenantId) -> Sequence[CapState]:
        """Return all that caps the tenant, by measure, the shortest period first. Raises NotFound."""
        plan = await self._tenants_of(tenant_id).plan()
        used = await self._spent_so_far(tenant_id, self._clock())
        by_plan = {(cap.measure, cap.period): cap for cap in plan.limits}
        own = {(cap.measure, cap.period): cap for cap in plan.own_caps}
        states = []
        for cap in plan.caps:
            place = cap.measure, cap.period
            kept = cap.period in (Period.DAY, Period.MONTH)
            states.append(CapState(by_plan.get(place), own.get(place), cap, used.get(place, 0) if kept else None))
        return states

    async def set_caps(self, tenant_id: TenantId, caps: Sequence[Cap]) -> Sequence[CapState]:
        """Keep the tenant's own caps in place of its earlier ones; they hold from the next answer on.

        Raises Invalid for two caps of one measure and period, and with code "cap_above_plan" for one that the plan does
        not allow.
        """
        by_plan = {(cap.measure, cap.period): cap.hard for cap in (await self._tenants_of(tenant_id).plan()).limits}
        places: set[tuple[Measure, Period]] = set()
        for cap in caps:
            place = cap.measure, cap.period
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
