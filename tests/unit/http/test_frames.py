"""An answer on the wire."""

import re
from collections.abc import AsyncGenerator
from typing import Any

import orjson
import pytest

from chatconnect.domain.conversation import Citation, Usage
from chatconnect.domain.errors import (
    ChatConnectError,
    Conflict,
    Invalid,
    LimitReached,
    NotFound,
    ProviderBusy,
    ProviderFailed,
    Unavailable,
)
from chatconnect.domain.events import KEEP_ALIVE, Cited, Done, Event, Failed, Frame, Started, Token, ToolMoved, Warned
from chatconnect.domain.identifiers import ConversationId, DocumentId, MessageId, VersionId, new_id
from chatconnect.http.answers import collected
from chatconnect.http.frames import encode, event_stream
from chatconnect.http.statuses import status_of

CITATION = Citation(1, DocumentId(new_id()), VersionId(new_id()), "Prices", "49 €", 10, 14, 2)
STARTED = Started(ConversationId(new_id()), MessageId(new_id()), MessageId(new_id()), "trace")
DONE = Done("stop", Usage(100, 20, 10, 99, 150, 900), (CITATION,))
SHOWN = {"marker": 1, "document_id": str(CITATION.document_id), "title": "Prices", "page": 2, "quote": "49 €",
         "start": 10, "end": 14}  # fmt: skip
ANSWER: list[Event] = [STARTED, Token("It costs "), Cited(CITATION), Token("49 € [1]"), DONE]
FAULTS = [RuntimeError("secret"), OSError("secret"), NotFound("answer"), ProviderFailed(), LimitReached("wait")]


async def frames(*events: Event | Frame | Exception) -> AsyncGenerator[Frame, None]:
    number = 0
    for event in events:
        if isinstance(event, Exception):
            raise event
        if isinstance(event, Frame):
            yield event
            continue
        number += 1
        yield encode(number, event)


async def streamed(source: AsyncGenerator[Frame, None]) -> tuple[list[tuple[int, str, dict[str, Any]]], str]:
    """The events of a stream, and the stream itself."""
    raw = b"".join([piece async for piece in event_stream(source)]).decode()
    found = re.findall(r"id: (\d+)\nevent: (\w+)\ndata: ([^\n]*)\n\n", raw)
    return [(int(number), name, orjson.loads(data)) for number, name, data in found], raw


async def test_every_event_is_a_numbered_frame_and_nothing_stands_between_them() -> None:
    events, raw = await streamed(frames(*ANSWER))

    assert [(number, name) for number, name, _ in events] == [
        (1, "start"), (2, "token"), (3, "citation"), (4, "token"), (5, "done"),
    ]  # fmt: skip
    assert raw == "".join(f"id: {n}\nevent: {e}\ndata: {orjson.dumps(d).decode()}\n\n" for n, e, d in events)


async def test_the_data_are_what_the_interface_promises() -> None:
    events, _ = await streamed(frames(Warned("soft_limit", "soon"), ToolMoved("search", "called"), *ANSWER))
    data = {name: data for _, name, data in events}

    assert data["start"] == {
        "conversation_id": str(STARTED.conversation_id),
        "message_id": str(STARTED.message_id),
        "user_message_id": str(STARTED.user_message_id),
        "trace_id": "trace",
    }
    assert data["warning"] == {"code": "soft_limit", "detail": "soon"}
    assert data["tool"] == {"name": "search", "state": "called"}
    assert data["token"] == {"text": "49 € [1]"}
    assert data["citation"] == SHOWN
    assert data["done"] == {
        "finish_reason": "stop",
        "usage": {"input_tokens": 100, "output_tokens": 20, "cached_tokens": 10, "cost_microusd": 99,
                  "first_token_ms": 150, "total_ms": 900, "estimated": False,
                      "cache_write_tokens": 0, "from_cache": False},
        "citations": [SHOWN],
    }  # fmt: skip


async def test_a_line_break_or_a_frame_in_the_text_stays_text() -> None:
    text = "a\n\nid: 9\nevent: done\ndata: {}\n\n\r\u2028"

    events, _ = await streamed(frames(STARTED, Token(text), DONE))

    assert [name for _, name, _ in events] == ["start", "token", "done"]
    assert events[1][2]["text"] == text


async def test_a_sign_of_life_is_a_comment_without_a_number() -> None:
    events, raw = await streamed(frames(STARTED, KEEP_ALIVE, KEEP_ALIVE, Token("a"), DONE))

    assert raw.count(": ping\n\n") == 2
    assert [number for number, _, _ in events] == [1, 2, 3]


@pytest.mark.parametrize("before", [[], [STARTED], [STARTED, Token("It")]])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_stream_that_breaks_ends_in_one_error(before: list[Event], fault: Exception) -> None:
    events, raw = await streamed(frames(*before, fault))

    assert [number for number, _, _ in events] == list(range(1, len(before) + 2))
    assert [name for _, name, _ in events].count("error") == 1
    assert events[-1][1] == "error"
    code = fault.code if isinstance(fault, ChatConnectError) else "internal"
    retryable = isinstance(fault, Unavailable | LimitReached)
    assert (events[-1][2]["code"], events[-1][2]["retryable"]) == (code, retryable)
    assert "secret" not in raw


@pytest.mark.parametrize("before", [[], [STARTED], [STARTED, Token("It")]])
async def test_a_stream_that_just_stops_ends_in_one_error_too(before: list[Event]) -> None:
    events, _ = await streamed(frames(*before))

    assert [name for _, name, _ in events[len(before) :]] == ["error"]
    assert events[-1][2]["code"] == "answer_interrupted"


@pytest.mark.parametrize("last", [DONE, Failed("internal", "no", retryable=False)])
async def test_nothing_follows_the_last_event(last: Event) -> None:
    events, _ = await streamed(frames(STARTED, last, Token("late"), DONE))

    assert len(events) == 2


async def test_a_source_that_breaks_on_its_way_out_adds_no_second_end() -> None:
    async def fragile() -> AsyncGenerator[Frame, None]:
        try:
            yield encode(1, DONE)
        finally:
            raise RuntimeError

    events, _ = await streamed(fragile())

    assert [name for _, name, _ in events] == ["done"]


async def test_a_reader_who_leaves_closes_the_source() -> None:
    closed = []

    async def source() -> AsyncGenerator[Frame, None]:
        try:
            async for frame in frames(*ANSWER):
                yield frame
        finally:
            closed.append(True)

    stream = event_stream(source())
    await anext(stream)
    await stream.aclose()

    assert closed == [True]


# The same as one document


async def test_a_whole_answer_is_what_its_events_said() -> None:
    answer = await collected(frames(STARTED, KEEP_ALIVE, Warned("soft_limit", "soon"), *ANSWER[1:]))

    assert answer.text == "It costs 49 € [1]"
    assert (answer.conversation_id, answer.message_id) == (STARTED.conversation_id, STARTED.message_id)
    assert answer.citations[0].model_dump(mode="json") == SHOWN
    assert (answer.usage.output_tokens, answer.finish_reason, answer.trace_id) == (20, "stop", "trace")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("no"), 400),
        (Conflict("no"), 409),
        (LimitReached("wait"), 429),
        (ProviderBusy(7), 429),
        (ProviderFailed(), 503),
        (ProviderFailed("provider_rejected"), 503),
        (Unavailable("the search"), 503),
        (Unavailable("the answer", code="answer_timeout"), 503),
        (ChatConnectError("no"), 500),
    ],
)
async def test_an_answer_that_failed_is_the_error_that_it_ended_in(error: ChatConnectError, status: int) -> None:
    failed = Failed.of(error)

    with pytest.raises(ChatConnectError) as raised:
        await collected(frames(STARTED, Token("It"), failed))

    assert (raised.value.code, raised.value.message) == (error.code, error.message)
    assert getattr(raised.value, "retry_after", None) == (failed.retry_after or (5 if failed.retryable else None))
    assert status_of(raised.value) == status


async def test_an_answer_without_an_end_is_an_error() -> None:
    with pytest.raises(Unavailable) as raised:
        await collected(frames(STARTED, Token("It")))

    assert raised.value.code == "answer_interrupted"
