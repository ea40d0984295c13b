"""The making of one answer: retrieve -> compose -> generate -> record."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from chatconnect.domain.assistant import Assistant
from chatconnect.domain.citations import CitationStream, Uncited
from chatconnect.domain.context import PromptContext
from chatconnect.domain.conversation import Citation, Message, MessageStatus, Turn, Usage
from chatconnect.domain.errors import ChatConnectError, LimitReached, ProviderFailed, Unavailable
from chatconnect.domain.events import Cited, Done, Event, Failed, Started, Token, ToolMoved, Warned
from chatconnect.domain.given_answer import GivenAnswer
from chatconnect.domain.pricing import PriceTable
from chatconnect.domain.response_format import TEXT, ResponseFormat
from chatconnect.ports.answer_cache import Asked
from chatconnect.ports.budgets import Reservation
from chatconnect.ports.clock import Clock
from chatconnect.ports.conversations import ConversationsOf, TurnQueue
from chatconnect.ports.epochs import Epoch
from chatconnect.ports.models import ChatModel, ChatModels, Finished, GenerationOptions
from chatconnect.ports.moderation import Moderator
from chatconnect.services.answer_cache import AnswerCacheService
from chatconnect.services.composing import Composer, Composition
from chatconnect.services.json_answers import JsonModel
from chatconnect.services.memory import MemoryService
from chatconnect.services.metering import CountTokens, MeteredModel
from chatconnect.services.model_choice import ChosenModel, ModelChoice
from chatconnect.services.moderation import Moderated, Refused
from chatconnect.services.spending import SpendingService
from chatconnect.services.timings import Timings
from chatconnect.services.tool_rounds import ToolRounds
from chatconnect.services.toolbox import Toolbox
from chatconnect.services.turn_budget import TurnBudget

LONGEST_ANSWER_SECONDS = 240.0
# The turn's beginning is stored while the model is waited for, so that it takes no time from what comes before that.
BEGIN_WITHIN_SECONDS = 0.02

OnTurn = Callable[[Turn], None]
OnFault = Callable[[Turn, BaseException], None]


@dataclass(slots=True)
class _Draft:
    """What there is of an answer so far."""

    budget: TurnBudget
    text: list[str] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    finished: Finished | None = None
    model: ChosenModel | None = None
    metered: MeteredModel | None = None
    moderated: Moderated | None = None
    refused: bool = False
    asked_at: float | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    first_token_at: float | None = None
    context: PromptContext | None = None
    called_tools: bool = False
    from_cache: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A turn to be answered. `arrived` is `time.perf_counter()` at the request; `recorded` says the turn's beginning
    is stored already, `reservation` what was set aside for it. `controls` are what the model is told beside the
    assistant's own instructions, as it stands in the prompt; `response_format` is what the answer has to keep to.
    What was kept in `epoch` may be gone by; None: nothing. `given` is an answer to give again; `asked` what the one to
    be made is kept under, if it is.
    """

    turn: Turn
    assistant: Assistant
    history: Sequence[Message]
    company: str
    arrived: float
    recorded: bool
    reservation: Reservation
    controls: tuple[str, ...] = ()
    response_format: ResponseFormat = TEXT
    epoch: Epoch | None = None
    asked: Asked | None = None
    given: GivenAnswer | None = None
    timings: Timings = field(default_factory=Timings)


class AnswerMaker:
    """Makes answers. Every answer ends in exactly one Done or Failed, and every turn is stored or queued by then."""

    def __init__(
        self,
        *,
        conversations_of: ConversationsOf,
        composer: Composer,
        memory: MemoryService,
        toolbox: Toolbox,
        answers: AnswerCacheService,
        models: ChatModels,
        moderator: Moderator,
        prices: PriceTable,
        spending: SpendingService,
        count_tokens: CountTokens,
        waiting_turns: TurnQueue,
        clock: Clock,
        on_turn: OnTurn,
        on_fault: OnFault,
    ) -> None:
        self._conversations_of, self._composer, self._toolbox = conversations_of, composer, toolbox
        self._memory, self._answers = memory, answers
        self._choice, self._moderator = ModelChoice(models), moderator
        self._prices, self._spending, self._count_tokens = prices, spending, count_tokens
        self._waiting_turns, self._clock = waiting_turns, clock
        self._on_turn, self._on_fault = on_turn, on_fault

    async def answer(self, request: Request) -> AsyncIterator[Event]:
        """Yield Started, the events, then Done or Failed. Cancelling the task once ends in Done, "cancelled"."""
        turn = request.turn
        yield Started(turn.conversation.id, turn.answer.id, turn.question.id, turn.answer.trace_id or "")
        for cap in request.reservation.warnings:
            yield Warned(f"{cap.name}_nearly_reached", f"most of the {cap.measure} allowed per {cap.period} are used")
        draft = _Draft(self._spending.budget(request.reservation, request.assistant.config))
        beginning = None if request.recorded else asyncio.create_task(self._begin(turn, request.timings, draft.asked))
        error: ChatConnectError | None = None
        cancelled = False
        try:
            async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
                async for event in self._moderated(request, draft):
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
        draft.asked.set()
        if beginning is not None:
            await _uncancelled(beginning)
        ended = self._ended(request, draft, error, cancelled=cancelled)
        await _uncancelled(self._record(ended, request.timings))
        await _uncancelled(self._spending.settle(request.reservation, ended.answer.usage))
        yield _last_event(ended, error)
        await self._answers.keep(request.asked, ended, request.assistant, called_tools=draft.called_tools)
        beside = self._spending.budget_beside(request.reservation, request.assistant.config)
        await self._memory.remember(ended, request.assistant, request.history, beside)

    async def _begin(self, turn: Turn, timings: Timings, asked: asyncio.Event) -> None:
        """Store the turn's beginning while the answer is being found. What fails here is made good by `_record`."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEGIN_WITHIN_SECONDS):
                    await asked.wait()
            with timings.step("begin"):
                await self._conversations_of(turn.conversation.tenant_id).begin(turn)
        except Exception as fault:  # noqa: BLE001 - the answer goes on, and `_record` stores the whole turn
            self._on_fault(turn, fault)

    async def _moderated(self, request: Request, draft: _Draft) -> AsyncIterator[Event]:
        """Generate, and say the configured words in place of what is refused."""
        making = self._generate(request, draft) if request.given is None else self._again(request, request.given, draft)
        try:
            async for event in making:
                yield event
        except Refused:
            draft.refused = True
            if request.response_format.is_json:
                return  # the words are no JSON, and whoever asked reads nothing else
            words = request.assistant.config.moderation.refusal
            yield _event_of(f"\n\n{words}" if draft.text else words, draft)

    async def _generate(self, request: Request, draft: _Draft) -> AsyncIterator[Event]:
        config, tenant_id = request.assistant.config, request.turn.conversation.tenant_id
        draft.model = self._choice.for_assistant(config)
        draft.metered = MeteredModel(draft.model, self._count_tokens, draft.budget.for_answer())
        draft.moderated = moderated = Moderated(config.moderation, self._moderator)
        composed = await self._composed(request, draft, moderated)
        draft.context, prompt, passages = composed.context, composed.prompt, composed.passages
        toolset = await self._toolbox.tools(tenant_id, config, passages)
        form = request.response_format
        model: ChatModel = JsonModel(draft.metered, form) if form.is_json else draft.metered
        rounds = ToolRounds(
            model, toolset.tools, limit=config.tool_rounds, on_fault=partial(self._on_fault, request.turn)
        )
        checked: CitationStream | Uncited = Uncited() if form.is_json else CitationStream(passages)
        passed = moderated.whole if form.is_json else moderated.passed
        draft.citations = checked.citations
        options = GenerationOptions(request.reservation.max_tokens, config.temperature, response_format=form)
        draft.asked_at = time.perf_counter()
        asyncio.get_running_loop().call_soon(draft.asked.set)
        async with aclosing(toolset), aclosing(rounds.stream(prompt, options)) as deltas:
            async for delta in deltas:
                if isinstance(delta, Finished):
                    draft.finished = delta
                    continue
                if isinstance(delta, ToolMoved):
                    draft.called_tools = True
                    yield delta
                    continue
                if draft.first_token_at is None:
                    draft.first_token_at = time.perf_counter()
                for event in _events_of(await passed(delta.text), checked, draft):
                    yield event
        if draft.finished is None:
            raise ProviderFailed
        for event in _events_of(await moderated.rest(), checked, draft):
            yield event
        for piece in checked.end():
            yield _event_of(piece, draft)

    async def _again(self, request: Request, given: GivenAnswer, draft: _Draft) -> AsyncIterator[Event]:
        """Give an answer that was given before; its text was moderated then, under the same configuration."""
        draft.moderated = Moderated(request.assistant.config.moderation, self._moderator)
        await draft.moderated.check_input(request.turn.question.text)
        draft.from_cache, draft.first_token_at = True, time.perf_counter()
        for citation in given.citations:
            draft.citations.append(citation)
            yield Cited(citation)
        yield _event_of(given.text, draft)

    async def _composed(self, request: Request, draft: _Draft, moderated: Moderated) -> Composition:
        """Return the prompt, made while the question is being checked. Raises Refused."""
        composing = asyncio.create_task(
            self._composer.compose(
                request.turn,
                request.assistant,
                request.history,
                request.company,
                budget=draft.budget,
                timings=request.timings,
                epoch=request.epoch,
                controls=request.controls,
            )
        )
        try:
            with request.timings.step("moderate"):
                await moderated.check_input(request.turn.question.text)
        except BaseException:
            composing.cancel()
            await asyncio.gather(composing, return_exceptions=True)  # so that what it took is counted
            raise
        return await composing

    def _ended(self, request: Request, draft: _Draft, error: ChatConnectError | None, *, cancelled: bool) -> Turn:
        text = "".join(draft.text)
        provider, model = _answered_by(request, draft)
        if error is not None:
            status, reason = (MessageStatus.PARTIAL if text else MessageStatus.FAILED), "error"
        elif cancelled:
            status, reason = MessageStatus.PARTIAL, "cancelled"
        elif draft.refused:
            status, reason = MessageStatus.COMPLETE, "refused"
        else:
            status, reason = MessageStatus.COMPLETE, draft.finished.reason if draft.finished else "stop"
        answer = replace(
            request.turn.answer,
            provider=provider,
            model=model,
            text=text,
            status=status,
            completed_at=self._clock(),
            usage=self._usage(request, draft),
            citations=tuple(draft.citations),
            moderation=draft.moderated.result if draft.moderated else None,
            finish_reason=reason,
            error_code=error.code if error else None,
            timings=_timed(request, draft),
        )
        return replace(request.turn, answer=answer, context=draft.context)

    def _usage(self, request: Request, draft: _Draft) -> Usage:
        now, first, usage = time.perf_counter(), draft.first_token_at, Usage()
        if draft.model is not None and draft.metered is not None:
            endpoint = draft.model.endpoint
            day = request.turn.answer.created_at.date()
            usage = draft.metered.usage(self._prices.find(endpoint.provider, endpoint.model, day))
        return replace(
            usage.plus(draft.budget.beside),
            first_token_ms=None if first is None else round((first - request.arrived) * 1000),
            total_ms=round((now - request.arrived) * 1000),
            from_cache=draft.from_cache,
        )

    async def _record(self, turn: Turn, timings: Timings) -> None:
        try:
            with timings.step("record"):
                await self._conversations_of(turn.conversation.tenant_id).complete(turn)
        except Exception as fault:  # noqa: BLE001 - whatever it was, the turn is kept and the stream ends in an event
            self._on_fault(turn, fault)
            try:
                await self._waiting_turns.put(turn)
            except Exception as second_fault:  # noqa: BLE001
                self._on_fault(turn, second_fault)
        self._on_turn(replace(turn, answer=replace(turn.answer, timings=timings.milliseconds())))


async def _uncancelled(work: Coroutine[Any, Any, None] | asyncio.Task[None]) -> None:
    """Finish the work even when the wish to cancel comes only now."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if (current := asyncio.current_task()) is not None:
            current.uncancel()
        await task


def _timed(request: Request, draft: _Draft) -> Mapping[str, float]:
    """Return what the steps took so far; those of the model from when it was asked."""
    if draft.asked_at is not None:
        now = time.perf_counter()
        request.timings.add("first_token", (draft.first_token_at or now) - draft.asked_at)
        request.timings.add("generate", now - draft.asked_at)
    return request.timings.milliseconds()


def _answered_by(request: Request, draft: _Draft) -> tuple[str, str]:
    """Return the provider and the model: a fallback may have taken the place of the assistant's own."""
    answered = draft.model.endpoint if draft.model else request.assistant.config
    return answered.provider, answered.model


def _events_of(texts: Sequence[str], checked: CitationStream | Uncited, draft: _Draft) -> Iterator[Event]:
    for text in texts:
        for piece in checked.feed(text):
            yield _event_of(piece, draft)


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
