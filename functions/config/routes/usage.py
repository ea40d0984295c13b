"""What a tenant has used, and the caps that it sets itself below those of its plan."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chatconnect.domain.budget import HIGHEST_CAP, Cap, Measure, Period, Whose
from chatconnect.domain.identifiers import ConversationId, VisitorId
from chatconnect.http.authentication import Admin, Viewer
from chatconnect.http.errors import responses
from chatconnect.ports.usage import Total
from chatconnect.services.usage import CapState
from functions.config.services import Usage

router = APIRouter(prefix="/v1/usage", tags=["usage"])


class TotalBody(BaseModel):
    """What was used in a day or month (UTC) from `starts_on` on; an answer counts on the day on which it began."""

    starts_on: date
    answers: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int = Field(description="The part of the input that the provider read from its cache")
    cache_write_tokens: int = Field(description="The part of the input that the provider put into its cache")
    cost_microusd: int = Field(description="Of the answers, in millionths of a US dollar")
    embedding_tokens: int = Field(description="What was embedded of documents, about")
    embedding_cost_microusd: int = Field(description="Of the documents, beside `cost_microusd`; no cap counts it")

    @classmethod
    def of(cls, total: Total) -> "TotalBody":
        """Return the body that shows a total."""
        return cls(
            starts_on=total.starts_on,
            answers=total.answers,
            input_tokens=total.input_tokens,
            output_tokens=total.output_tokens,
            cached_tokens=total.cached_tokens,
            cache_write_tokens=total.cache_write_tokens,
            cost_microusd=total.cost_microusd,
            embedding_tokens=total.embedding_tokens,
            embedding_cost_microusd=total.embedding_cost_microusd,
        )


class UsageTotalsBody(BaseModel):
    """Running totals, newest first; days and months without any use are left out."""

    days: list[TotalBody]
    months: list[TotalBody]


class CapBody(BaseModel):
    """A cap: at most `hard` of a measure in a period; money in millionths of a US dollar.

    It holds for the whole company, or for each of its visitors, conversations or secret keys (`subject`).
    Whoever asks is warned from `soft` on, and refused when an answer has no room below `hard` any more.
    """

    subject: Whose = Whose.TENANT
    measure: Measure
    period: Period
    hard: int = Field(ge=1, le=HIGHEST_CAP)
    soft: int | None = Field(default=None, ge=1, le=HIGHEST_CAP, description="Left out: four fifths of `hard`")

    def to_cap(self) -> Cap:
        """Return the value. Raises Invalid."""
        return Cap(self.measure, self.period, self.hard, self.soft, self.subject)


class OwnCaps(BaseModel):
    """All caps that a company sets itself; those that are left out are lifted, but the plan's hold all the same."""

    caps: list[CapBody] = Field(max_length=len(Whose) * len(Measure) * len(Period))


class CapStateBody(BaseModel):
    """A cap in force, where it comes from, and what of it is used; periods are those of UTC."""

    subject: Whose
    measure: Measure
    period: Period
    plan: int | None = Field(description="What the plan allows; null: it sets no such cap")
    own: int | None = Field(description="What the company allows itself; null: it sets no such cap")
    hard: int = Field(description="The lower of the two, which holds")
    soft: int
    used: int | None = Field(
        description="What was used in this day or month so far; answers under way are not in it. Null for an hour or a "
        "minute, and where each visitor, conversation or key has its own"
    )


class CapStates(BaseModel):
    """All caps in force."""

    caps: list[CapStateBody]

    @classmethod
    def of(cls, states: Sequence[CapState]) -> "CapStates":
        """Return the body that shows caps."""
        return cls(
            caps=[
                CapStateBody(
                    subject=state.in_force.whose,
                    measure=state.in_force.measure,
                    period=state.in_force.period,
                    plan=state.plan.hard if state.plan else None,
                    own=state.own.hard if state.own else None,
                    hard=state.in_force.hard,
                    soft=state.in_force.soft,
                    used=state.used,
                )
                for state in states
            ]
        )


@router.get("", responses=responses(401, 403))
async def show_usage(
    caller: Viewer,
    usage: Usage,
    visitor_id: UUID | None = None,
    conversation_id: UUID | None = None,
    since: date | None = None,
    until: date | None = None,
) -> UsageTotalsBody:
    """Show what the company, or a visitor or conversation, has used: by day, the last 31 unless told, and by month."""
    totals = await usage.usage(
        caller.tenant_id,
        visitor_id=VisitorId(visitor_id) if visitor_id else None,
        conversation_id=ConversationId(conversation_id) if conversation_id else None,
        since=since,
        until=until,
    )
    return UsageTotalsBody(
        days=[TotalBody.of(total) for total in totals.days], months=[TotalBody.of(total) for total in totals.months]
    )


@router.get("/caps", responses=responses(401, 403))
async def show_caps(caller: Viewer, usage: Usage) -> CapStates:
    """Show what caps the company, and how much of it is used."""
    return CapStates.of(await usage.caps(caller.tenant_id))


@router.put("/caps", responses=responses(401, 403))
async def set_caps(body: OwnCaps, caller: Admin, usage: Usage) -> CapStates:
    """Replace the company's own caps; they hold from the next answer on.

    None may lie above the plan's (`cap_above_plan`). A question that meets a cap is refused with 429 and its code
    (`tokens_per_day_reached`, say, or `visitor_tokens_per_day_reached`). An answer that meets one between its rounds of
    tools ends with what was said (`length`), or in an error with that code.
    """
    return CapStates.of(await usage.set_caps(caller.tenant_id, [cap.to_cap() for cap in body.caps]))
