"""The making of one answer: retrieve -> compose -> generate -> record."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import dropwhile
from typing import Any

from chatconnect.domain.assistant import Assistant
from chatconnect.domain.citations import CitationStream, without_markers
from chatconnect.domain.composition import instructions
from chatconnect.domain.conversation import Citation, Message, MessageStatus, Role, Turn, Usage
from chatconnect.domain.errors import ChatConnectError, LimitReached, ProviderFailed, Unavailable
from chatconnect.domain.events import Cited, Done, Event, Failed, Started, Token
from chatconnect.domain.pricing import PriceTable
from chatconnect.ports.clock import Clock
from chatconnect.ports.conversations import ConversationsOf, TurnQueue
from chatconnect.ports.models import (
    ChatModels,
    Finished,
    GenerationOptions,
    ModelEndpoint,
    Prompt,
    PromptMessage,
)
from chatconnect.services.retrieval import RetrievalService

LONGEST_ANSWER_SECONDS = 240.0

OnTurn = Callable[[Turn], None]
OnFault = Callable[[Turn, BaseException], None]


@dataclass(slots=True)
class _Draft:
    """What there is of an answer so far."""

    text: list[str] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    finished: Finished | None = None
    first_token_at: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A turn to be answered. `arrived` is `time.perf_counter()` at the request; `recorded` says the turn's beginning
    is stored already.
    """

    turn: Turn
    assistant: Assistant
    history: Sequence[Message]
    company: str
    arrived: float
    recorded: bool


class AnswerMaker:
    """Makes answers. Every answer ends in exactly one Done or Failed, and every turn is stored or queued by then."""

    def __init__(
        self,
        *,
        conversations_of: ConversationsOf,
        retrieval: RetrievalService,
        models: ChatModels,
        prices: PriceTable,
        waiting_turns: TurnQueue,
        clock: Clock,
        on_turn: OnTurn,
        on_fault: OnFault,
    ) -> None:
        self._conversations_of, self._retrieval, self._models = conversations_of, retrieval, models
        self._prices, self._waiting_turns, self._clock = prices, waiting_turns, clock
        self._on_turn, self._on_fault = on_turn, on_fault

    async def answer(self, request: Request) -> AsyncIterator[Event]:
        """Yield Started, the events, then Done or Failed. Cancelling the task once ends in Done, "cancelled"."""
        turn = request.turn
        yield Started(turn.conversation.id, turn.answer.id, turn.question.id, turn.answer.trace_id or "")
        beginning = None if request.recorded else asyncio.create_task(self._begin(turn))
        draft = _Draft()
        error: ChatConnectError | None = None
        cancelled = False
        try:
            async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
                async for event in self._generate(request, draft):
                    yield event
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            cancelled = True
        except TimeoutError:
            error = Unavailable("the answer", code="answer_timeout")
        except ChatConnectError as fault:
            error = fault
        except Exception as fault:  # noqa: BLE001 - a stream must end in an event, whatever happened
            self._on_fault(turn, fault)
            error = ChatConnectError("something went wrong on our side")
        if beginning is not None:
            await _uncancelled(beginning)
        ended = self._ended(request, draft, error, cancelled=cancelled)
        await _uncancelled(self._record(ended))
        yield _last_event(ended, error)

    async def _begin(self, turn: Turn) -> None:
        """Store the turn's beginning while the answer is being found. What fails here is made good by `_record`."""
        try:
            await self._conversations_of(turn.conversation.tenant_id).begin(turn)
        except Exception as fault:  # noqa: BLE001 - the answer goes on, and `_record` stores the whole turn
            self._on_fault(turn, fault)

    async def _generate(self, request: Request, draft: _Draft) -> AsyncIterator[Event]:
        config, tenant_id = request.assistant.config, request.turn.conversation.tenant_id
        model = self._models.at(ModelEndpoint(config.provider, config.model, config.base_url, config.access_token))
        passages = await self._retrieval.search(tenant_id, request.turn.question.text, config.retrieval)
        prompt = Prompt(
            system=instructions(config, company=request.company, passages=passages),
            messages=(*_dialogue(request.history), PromptMessage("user", request.turn.question.text)),
            passages=tuple(passages),
            refusal=config.refusal,
        )
        checked = CitationStream(passages)
        draft.citations = checked.citations
        options = GenerationOptions(config.max_tokens, config.temperature)
        async with aclosing(model.stream(prompt, options)) as deltas:
            async for delta in deltas:
                if isinstance(delta, Finished):
                    draft.finished = delta
                    break
                if draft.first_token_at is None:
                    draft.first_token_at = time.perf_counter()
                for piece in checked.feed(delta.text):
                    yield _event_of(piece, draft)
        if draft.finished is None:
            raise ProviderFailed
        for piece in checked.end():
            yield _event_of(piece, draft)

    def _ended(self, request: Request, draft: _Draft, error: ChatConnectError | None, *, cancelled: bool) -> Turn:
        text = "".join(draft.text)
        if error is not None:
            status, reason = (MessageStatus.PARTIAL if text else MessageStatus.FAILED), "error"
        elif cancelled:
            status, reason = MessageStatus.PARTIAL, "cancelled"
        else:
            status, reason = MessageStatus.COMPLETE, draft.finished.reason if draft.finished else "stop"
        answer = replace(
            request.turn.answer,
            text=text,
            status=status,
            completed_at=self._clock(),
            usage=self._usage(request, draft),
            citations=tuple(draft.citations),
            finish_reason=reason,
            error_code=error.code if error else None,
        )
        return replace(request.turn, answer=answer)

    def _usage(self, request: Request, draft: _Draft) -> Usage:
        now, finished, config = time.perf_counter(), draft.finished, request.assistant.config
        price = self._prices.find(config.provider, config.model, self._clock().date())
        first = draft.first_token_at
        usage = Usage(
            first_token_ms=None if first is None else round((first - request.arrived) * 1000),
            total_ms=round((now - request.arrived) * 1000),
        )
        if finished is None:
            return usage
        cost = (
            price.of(
                input_tokens=finished.input_tokens,
                output_tokens=finished.output_tokens,
                cached_tokens=finished.cached_tokens,
            )
            if price
            else 0
        )
        return replace(
            usage,
            input_tokens=finished.input_tokens,
            output_tokens=finished.output_tokens,
            cached_tokens=finished.cached_tokens,
            cost_microusd=cost,
        )

    async def _record(self, turn: Turn) -> None:
        try:
            await self._conversations_of(turn.conversation.tenant_id).complete(turn)
        except Exception as fault:  # noqa: BLE001 - whatever it was, the turn is kept and the stream ends in an event
            self._on_fault(turn, fault)
            try:
                await self._waiting_turns.put(turn)
            except Exception as second_fault:  # noqa: BLE001
                self._on_fault(turn, second_fault)
        self._on_turn(turn)


async def _uncancelled(work: Coroutine[Any, Any, None] | asyncio.Task[None]) -> None:
    """Finish the work even when the wish to cancel comes only now."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if (current := asyncio.current_task()) is not None:
            current.uncancel()
        await task


def _event_of(piece: str | Citation, draft: _Draft) -> Event:
    if isinstance(piece, Citation):
        return Cited(piece)
    draft.text.append(piece)
    return Token(piece)


def _last_event(turn: Turn, error: ChatConnectError | None) -> Event:
    if error is not None:
        return Failed(error.code, error.message, retryable=isinstance(error, Unavailable | LimitReached))
    answer = turn.answer
    return Done(answer.finish_reason or "stop", answer.usage, answer.citations)


def _dialogue(history: Sequence[Message]) -> list[PromptMessage]:
    """Return what was said so far, from a visitor's message on; answers that came to nothing are left out."""
    from_question = dropwhile(lambda message: message.role is not Role.USER, history)
    return [
        PromptMessage("user", message.text)
        if message.role is Role.USER
        else PromptMessage("assistant", without_markers(message.text))
        for message in from_question
        if message.text.strip()
    ]
