"""Visitors as staff see them: what was noticed of them, and keeping them from writing."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chatconnect.domain.abuse import SignalKind
from chatconnect.domain.identifiers import VisitorId
from chatconnect.domain.visitor import Block, KnownVisitor
from chatconnect.http.authentication import Agent, Viewer
from chatconnect.http.errors import responses
from chatconnect.ports.abuse import RecordedSignal
from functions.config.services import Visitors

router = APIRouter(prefix="/v1", tags=["visitors"])


class NewBlock(BaseModel):
    """Why a visitor may not write, for staff to read, and until when; without a time: until somebody unblocks them."""

    reason: str = Field(default="", description="At most 500 characters", examples=["Insults"])
    until: datetime | None = Field(default=None, description="In the future, with its time zone")


class BlockBody(BaseModel):
    """A block in force; `blocked_by` is a member, null for a secret key."""

    reason: str
    blocked_at: datetime
    blocked_by: UUID | None
    until: datetime | None

    @classmethod
    def of(cls, block: Block) -> "BlockBody":
        """Return the body that shows a block."""
        return cls(reason=block.reason, blocked_at=block.blocked_at, blocked_by=block.blocked_by, until=block.until)


class VisitorBody(BaseModel):
    """A visitor who has written."""

    id: UUID
    external_id: str | None = Field(description="The tenant's own id of a visitor who is logged in")
    name: str | None
    email: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    block: BlockBody | None

    @classmethod
    def of(cls, visitor: KnownVisitor) -> "VisitorBody":
        """Return the body that shows a visitor."""
        return cls(
            id=visitor.id,
            external_id=visitor.external_id,
            name=visitor.name,
            email=visitor.email,
            first_seen_at=visitor.first_seen_at,
            last_seen_at=visitor.last_seen_at,
            block=BlockBody.of(visitor.block) if visitor.block else None,
        )


class VisitorList(BaseModel):
    """Visitors who are blocked, the last blocked first."""

    visitors: list[VisitorBody]


class SignalBody(BaseModel):
    """Signs of one kind of abuse that a visitor gave within an hour. Null visitor: they came through a secret key."""

    id: int
    visitor_id: UUID | None
    kind: SignalKind
    score: int = Field(description="The highest of the hour; from 40 on a message is recorded, from 100 on refused")
    count: int = Field(description="How many messages gave it")
    reasons: list[str] = Field(examples=[["instructions_overridden"], ["fast", "odd_agent"]])
    throttled: bool = Field(description="Whether a message was refused with `slow_down`")
    conversation_id: UUID | None = Field(description="Of the last such message, unless it was refused")
    message_id: UUID | None = Field(description="The last such message, unless it was refused")
    first_seen_at: datetime
    last_seen_at: datetime

    @classmethod
    def of(cls, signal: RecordedSignal) -> "SignalBody":
        """Return the body that shows a signal."""
        return cls(
            id=signal.id,
            visitor_id=signal.visitor_id,
            kind=signal.kind,
            score=signal.score,
            count=signal.count,
            reasons=list(signal.reasons),
            throttled=signal.throttled,
            conversation_id=signal.conversation_id,
            message_id=signal.message_id,
            first_seen_at=signal.first_seen_at,
            last_seen_at=signal.last_seen_at,
        )


class SignalList(BaseModel):
    """Signals, newest first."""

    signals: list[SignalBody]


class WatchedVisitorBody(VisitorBody):
    """A visitor with the newest signals of theirs, at most 50."""

    signals: list[SignalBody]


@router.get("/visitors/blocked", responses=responses(401, 403))
async def list_blocked_visitors(
    caller: Viewer,
    visitors: Visitors,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[datetime | None, Query(description="When the last one of the page before was blocked")] = None,
) -> VisitorList:
    """List the visitors who are blocked, the last blocked first."""
    found = await visitors.blocked(caller.tenant_id, limit=limit, before=before)
    return VisitorList(visitors=[VisitorBody.of(visitor) for visitor in found])


@router.get("/visitors/{visitor_id}", responses=responses(401, 403, 404))
async def show_visitor(visitor_id: UUID, caller: Viewer, visitors: Visitors) -> WatchedVisitorBody:
    """Show a visitor, whether they are blocked, and what was noticed of them."""
    visitor, signals = await visitors.show(caller.tenant_id, VisitorId(visitor_id))
    head = VisitorBody.of(visitor)
    return WatchedVisitorBody(**head.model_dump(), signals=[SignalBody.of(signal) for signal in signals])


@router.post("/visitors/{visitor_id}/block", responses=responses(401, 403, 404))
async def block_visitor(visitor_id: UUID, body: NewBlock, caller: Agent, visitors: Visitors) -> VisitorBody:
    """Keep a visitor from writing, from their next request on: it gets 403 `visitor_blocked`.

    They get no chat token, no answer, and can rate none. A second block takes the place of the first. Whoever is not
    logged in on the tenant's website can come back as somebody else.
    """
    visitor = await visitors.block(caller, VisitorId(visitor_id), body.reason, body.until)
    return VisitorBody.of(visitor)


@router.delete("/visitors/{visitor_id}/block", status_code=204, responses=responses(401, 403, 404))
async def unblock_visitor(visitor_id: UUID, caller: Agent, visitors: Visitors) -> None:
    """Let a visitor write again; 404 when they are not blocked."""
    await visitors.unblock(caller.tenant_id, VisitorId(visitor_id))


@router.get("/abuse", responses=responses(401, 403))
async def list_signals(
    caller: Viewer,
    visitors: Visitors,
    visitor_id: UUID | None = None,
    kind: SignalKind | None = None,
    throttled: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    before: Annotated[
        int | None, Query(ge=0, lt=2**63, description="The id of the last one of the page before")
    ] = None,
) -> SignalList:
    """List signs of abuse, newest first: repeated messages, automated clients, probing, prompt injection.

    Visitors who give too many are slowed down for a while: 429 `slow_down`.
    """
    found = await visitors.signals(
        caller.tenant_id,
        visitor_id=VisitorId(visitor_id) if visitor_id else None,
        kind=kind,
        throttled=throttled,
        limit=limit,
        before=before,
    )
    return SignalList(signals=[SignalBody.of(signal) for signal in found])
