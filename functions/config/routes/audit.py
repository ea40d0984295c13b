"""The audit log: who changed what, when and from where."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from chatconnect.domain.audit import MAX_TEXT, Actor, ActorKind, AuditEntry, AuditFilters
from chatconnect.http.authentication import Admin
from chatconnect.http.cursors import moment_and_id_of, to_cursor
from chatconnect.http.errors import responses
from chatconnect.http.filters import Moment
from chatconnect.ports.audit import AuditPlace
from chatconnect.services.audit import ExportForm
from functions.config.services import Audit

router = APIRouter(prefix="/v1/audit", tags=["audit"])

_MEDIA_TYPES = {ExportForm.CSV: "text/csv; charset=utf-8", ExportForm.JSONL: "application/jsonl; charset=utf-8"}
_EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/jsonl": {"schema": {"type": "string"}},
        },
        "headers": {
            "X-Next-Cursor": {
                "description": "There only when the file could not hold all: asks for the following one",
                "schema": {"type": "string"},
            }
        },
    }
}

Word = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class FiltersQuery(BaseModel):
    """Which lines are meant; what is left out holds for all."""

    actor: ActorKind | None = Field(default=None, description="What kind of actor")
    actor_id: UUID | None = Field(default=None, description="A member's account, or a key")
    action: Word | None = Field(
        default=None, description="A whole action, or its part before the dot", examples=["key.revoked", "key"]
    )
    object: Word | None = Field(default=None, description="The kind of what was changed", examples=["assistant"])
    object_id: UUID | None = None
    since: Moment | None = None
    until: Moment | None = Field(default=None, description="Before this moment")
    text: Word | None = Field(
        default=None, description="Stands in the action, the object's name, or a field, before or after; any case"
    )
    cursor: str | None = Field(default=None, max_length=2_000, description="`next_cursor` of the page before")

    def to_filters(self) -> AuditFilters:
        """Return the value."""
        return AuditFilters(
            self.actor, self.actor_id, self.action, self.object, self.object_id, self.since, self.until, self.text
        )

    def to_place(self) -> AuditPlace | None:
        """Return where to begin. Raises Invalid with code "invalid_cursor"."""
        if self.cursor is None:
            return None
        return AuditPlace(*moment_and_id_of(self.cursor))


class EntriesQuery(FiltersQuery):
    """Which lines, and how many of them."""

    limit: int = Field(default=50, ge=1, le=200)


class ExportQuery(FiltersQuery):
    """Which lines, and in what form."""

    format: ExportForm = ExportForm.CSV


class ActorBody(BaseModel):
    """Who did it: `anonymous` had not proved who they are, `system` is work that nobody asked for at that moment."""

    kind: ActorKind
    id: UUID | None = Field(description="A member's or an operator's account, or a key")
    name: str | None = Field(description="The member's address, or what the key is called; an operator is not named")

    @classmethod
    def of(cls, actor: Actor) -> "ActorBody":
        """Return the body that shows an actor."""
        return cls(kind=actor.kind, id=actor.id, name=actor.name)


class ChangeBody(BaseModel):
    """A field before and after; secrets are `(hidden)`, long texts cut, addresses shown without their query."""

    before: Any
    after: Any


class EntryBody(BaseModel):
    """One line of the log."""

    id: UUID
    at: datetime
    actor: ActorBody
    action: str = Field(description="Stable", examples=["key.revoked"])
    object: str = Field(description="What kind of thing it was done to", examples=["key"])
    object_id: UUID | None
    object_name: str | None = Field(description="What it was called then")
    changes: Mapping[str, ChangeBody] = Field(description="By field; those within an object as `config.model`")
    network: str | None = Field(
        description="The network that the request came from: /24 of IPv4, /48 of IPv6", examples=["192.0.2.0/24"]
    )
    trace_id: str | None = Field(description="The request's `X-Trace-Id`")

    @classmethod
    def of(cls, entry: AuditEntry) -> "EntryBody":
        """Return the body that shows a line."""
        return cls(
            id=entry.id,
            at=entry.at,
            actor=ActorBody.of(entry.actor),
            action=entry.action,
            object=entry.object_kind,
            object_id=entry.object_id,
            object_name=entry.object_name,
            changes={each.field: ChangeBody(before=each.before, after=each.after) for each in entry.changes},
            network=entry.address,
            trace_id=entry.trace_id,
        )


class EntryList(BaseModel):
    """Lines, newest first."""

    entries: list[EntryBody]
    next_cursor: str | None = Field(description="Asks for the following page; null: no more")


@router.get("", responses=responses(401, 403))
async def list_entries(asked: Annotated[EntriesQuery, Query()], caller: Admin, audit: Audit) -> EntryList:
    """List who changed what, newest first. Nothing can change a line or remove one before its time is over."""
    page = await audit.page(caller.tenant_id, asked.to_filters(), asked.to_place(), asked.limit)
    return EntryList(entries=[EntryBody.of(each) for each in page.entries], next_cursor=_cursor(page.following))


@router.get("/export", response_class=Response, responses=_EXPORTED | responses(401, 403))
async def export_entries(asked: Annotated[ExportQuery, Query()], caller: Admin, audit: Audit) -> Response:
    """Take lines out as a file of up to 4 MB, newest first; the log tells of that, too."""
    made = await audit.export(caller.tenant_id, asked.to_filters(), asked.to_place(), asked.format)
    headers = {"Content-Disposition": f'attachment; filename="audit.{asked.format}"'}
    following = _cursor(made.following)
    if following is not None:
        headers["X-Next-Cursor"] = following
    return Response(made.content, media_type=_MEDIA_TYPES[asked.format], headers=headers)


def _cursor(place: AuditPlace | None) -> str | None:
    return to_cursor(place.at, place.id) if place else None
