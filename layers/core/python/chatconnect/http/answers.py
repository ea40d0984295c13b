"""An answer as one JSON document."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from chatconnect.domain.budget import waiting_seconds
from chatconnect.domain.errors import ChatConnectError, Conflict, Invalid, LimitReached, Unavailable
from chatconnect.domain.events import Frame

_REJECTED = {kind.code: kind for kind in (Invalid, Conflict)}


class CitationBody(BaseModel):
    """What a marker of the answer stands for; `start` and `end` index the document's text, in characters."""

    marker: int
    document_id: UUID
    title: str
    page: int | None = None
    quote: str
    start: int
    end: int


class UsageBody(BaseModel):
    """What the answer took: tokens (as the provider reports them, or estimated), micro-dollars, milliseconds."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = Field(description="The part of the input that the provider read from its cache")
    cost_microusd: int
    first_token_ms: int | None = None
    total_ms: int | None = None
    estimated: bool = False
    cache_write_tokens: int = Field(default=0, description="The part of the input that the provider put into its cache")
    from_cache: bool = Field(
        default=False, description="The answer was given to the same question before: no model was asked"
    )


class Answer(BaseModel):
    """One whole answer."""

    conversation_id: UUID
    message_id: UUID
    user_message_id: UUID
    text: str = Field(
        description="Markdown without images, HTML, and links to anywhere but the company's websites and what its "
        "documents name; in JSON answers the same holds for every text"
    )
    citations: list[CitationBody]
    usage: UsageBody
    finish_reason: str
    trace_id: str


async def collected(frames: AsyncGenerator[Frame, None]) -> Answer:
    """Wait for the end of an answer and return it whole. Raises the error that it ended in."""
    start: dict[str, Any] = {}
    text: list[str] = []
    async for frame in frames:
        if frame.name == "start":
            start = orjson.loads(frame.data)
        elif frame.name == "token":
            text.append(orjson.loads(frame.data)["text"])
        elif frame.name == "done":
            return Answer(**start, text="".join(text), **orjson.loads(frame.data))
        elif frame.name == "error":
            raise _error_of(orjson.loads(frame.data))
    raise Unavailable("the rest of this answer", code="answer_interrupted")


def _error_of(data: dict[str, Any]) -> ChatConnectError:
    """Return the error that an error event tells of, so that its HTTP status is the right one."""
    code, detail, told = data["code"], data["detail"], data.get("retry_after")
    if (wait := waiting_seconds(code, datetime.now(UTC))) is not None:
        return LimitReached(detail, code=code, retry_after=wait)
    if code in ("rate_limited", "provider_busy"):
        return LimitReached(detail, code=code, retry_after=told or 5)
    if kind := _REJECTED.get(code):
        return kind(detail, code=code)
    if data["retryable"]:
        error = Unavailable("the answer", code=code, retry_after=told or 5)
        error.message = detail
        return error
    return ChatConnectError(detail, code=code)
