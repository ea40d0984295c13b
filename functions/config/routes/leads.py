"""What visitors leave of themselves in a widget's form: they send it, staff read it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chatconnect.domain.identifiers import LeadId, VisitorId, WidgetId
from chatconnect.domain.lead import MAX_FIELDS, Lead
from chatconnect.http.authentication import Admin, Agent
from chatconnect.http.cursors import moment_and_id_of, to_cursor
from chatconnect.http.errors import responses
from functions.config.services import Leads, WritingVisitor

router = APIRouter(prefix="/v1/leads", tags=["leads"])


class NewLead(BaseModel):
    """What a visitor filled in. `locale` is the language that the widget spoke, as its configuration named it."""

    widget_id: UUID
    fields: dict[str, str] = Field(max_length=MAX_FIELDS, examples=[{"email": "ada@example.com"}])
    consent: bool = Field(default=False, description="The visitor ticked the box beside `lead_consent`")
    locale: str | None = Field(default=None, max_length=40)


class LeadBody(BaseModel):
    """What a visitor left; `consent` is what they agreed to, word for word."""

    id: UUID
    widget_id: UUID
    visitor_id: UUID
    fields: dict[str, str]
    consent: str | None
    created_at: datetime

    @classmethod
    def of(cls, lead: Lead) -> "LeadBody":
        """Return the body that shows a lead."""
        return cls(
            id=lead.id,
            widget_id=lead.widget_id,
            visitor_id=lead.visitor_id,
            fields=dict(lead.fields),
            consent=lead.consent,
            created_at=lead.created_at,
        )


class LeadList(BaseModel):
    """Leads, newest first; `cursor` leads to the next page, null on the last."""

    leads: list[LeadBody]
    cursor: str | None


@router.post("", status_code=204, responses=responses(401, 403, 404))
async def leave_lead(body: NewLead, visitor: WritingVisitor, leads: Leads) -> None:
    """Keep what a visitor filled in, in place of what they left in this widget before. For chat tokens alone.

    400 `no_lead_form`, `consent_required`, `field_required`. A blocked visitor gets 403 `visitor_blocked`.
    """
    await leads.leave(
        visitor.tenant_id,
        visitor.visitor_id,
        WidgetId(body.widget_id),
        body.fields,
        agreed=body.consent,
        locale=body.locale,
    )


@router.get("", responses=responses(401, 403))
async def list_leads(
    caller: Agent,
    leads: Leads,
    visitor_id: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> LeadList:
    """List what visitors left, newest first."""
    found = await leads.page(
        caller.tenant_id,
        limit=limit + 1,
        after=_place(cursor) if cursor else None,
        visitor_id=VisitorId(visitor_id) if visitor_id else None,
    )
    shown = found[:limit]
    following = to_cursor(shown[-1].created_at, shown[-1].id) if len(found) > limit else None
    return LeadList(leads=[LeadBody.of(lead) for lead in shown], cursor=following)


@router.delete("/{lead_id}", status_code=204, responses=responses(401, 403, 404))
async def delete_lead(lead_id: UUID, caller: Admin, leads: Leads) -> None:
    """Forget what a visitor left."""
    await leads.delete(caller.tenant_id, LeadId(lead_id))


def _place(cursor: str) -> tuple[datetime, LeadId]:
    moment, lead_id = moment_and_id_of(cursor)
    return moment, LeadId(lead_id)
