"""An answer's events on the wire: JSON data, framed as Server-Sent Events."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import orjson
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from chatconnect.domain.conversation import Citation
from chatconnect.domain.errors import Caught, ChatConnectError, Unavailable
from chatconnect.domain.events import KEEP_ALIVE, Cited, Done, Event, Failed, Frame, Started, Token, ToolMoved, Warned
from chatconnect.observability import log_fault

STREAM_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "Events, each with an id (1, 2, 3 ...): `start` {conversation_id, message_id, user_message_id, trace_id}; "
            "`warning` {code, detail}; `tool` {name, state}; `token` {text}; "
            "`citation` {marker, document_id, title, page, quote, start, end}; "
            "`done` {finish_reason, usage, citations}; `error` {code, detail, retryable, retry_after}. "
            "Exactly one `done` or `error` ends the stream; the codes of `error` are those of error responses."
        ),
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}

_NAMES: dict[type[Event], str] = {
    Started: "start",
    Warned: "warning",
    ToolMoved: "tool",
    Token: "token",
    Cited: "citation",
    Done: "done",
    Failed: "error",
}


def encode(number: int, event: Event) -> Frame:
    """Return an event as a numbered frame."""
    data: Any = event  # orjson writes it field by field
    if isinstance(event, Cited):
        data = citation_data(event.citation)
    elif isinstance(event, Done):
        citations = [citation_data(citation) for citation in event.citations]
        data = {"finish_reason": event.finish_reason, "usage": event.usage, "citations": citations}
    return Frame(number, _NAMES[type(event)], orjson.dumps(data))


def citation_data(citation: Citation) -> dict[str, Any]:
    """Return a citation as it is shown: what it stands for and where to find it."""
    return {
        "marker": citation.marker,
        "document_id": str(citation.document_id),
        "title": citation.title,
        "page": citation.page,
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
    }


class EventStream(StreamingResponse):
    """A response of Server-Sent Events that no proxy may hold back."""

    media_type = "text/event-stream"

    def __init__(
        self, frames: AsyncGenerator[Frame, None], *, after: int = 0, headers: Mapping[str, str] | None = None
    ) -> None:
        always = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(event_stream(frames, after=after), headers=always | dict(headers or {}))

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events until they end or the client leaves."""
        streaming, left = asyncio.current_task(), False

        async def watch() -> None:
            nonlocal left
            while (await receive())["type"] != "http.disconnect":
                pass
            left = True
            if streaming is not None:
                streaming.cancel()

        watching = asyncio.create_task(watch())
        try:
            await self.stream_response(send)
        except asyncio.CancelledError:
            if not left or streaming is None or streaming.uncancel() > 0:
                raise
        finally:
            watching.cancel()


async def event_stream(frames: AsyncGenerator[Frame, None], *, after: int = 0) -> AsyncGenerator[bytes, None]:
    """Yield the frames as Server-Sent Events. Whatever happens, the stream ends in `done` or `error`.

    `after` is the number of the last event that the client has: clients pass over events up to it.
    """
    last, ended = after, False
    with Caught() as caught:
        async with aclosing(frames) as source:
            async for frame in source:
                if frame is KEEP_ALIVE:
                    yield b": ping\n\n"
                    continue
                last, ended = frame.number, frame.is_last
                yield b"id: %d\nevent: %b\ndata: %b\n\n" % (last, frame.name.encode(), frame.data)
                if ended:
                    break
    error = caught.fault or Unavailable("the rest of this answer", code="answer_interrupted")
    if not isinstance(error, ChatConnectError):
        log_fault("stream fault", error)
        error = ChatConnectError("something went wrong on our side")
    if ended:
        return
    frame = encode(last + 1, Failed.of(error))
    yield b"id: %d\nevent: error\ndata: %b\n\n" % (frame.number, frame.data)
