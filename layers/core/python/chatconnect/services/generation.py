"""The making of one answer: retrieve -> compose -> generate -> record."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

from chatconnect.domain.citations import CitationStream, Uncited
from chatconnect.domain.context import OfferedTool
from chatconnect.domain.conversation import Turn
from chatconnect.domain.errors import Caught, ChatConnectError, ProviderFailed, Unavailable
from chatconnect.domain.events import Cited, Done, Event, Failed, Started, ToolMoved, Warned
from chatconnect.domain.given_answer import GivenAnswer
from chatconnect.domain.knowledge import Passage
from chatconnect.domain.pricing import PriceTable
from chatconnect.ports.clock import Clock
from chatconnect.ports.conversations import ConversationsOf, TurnQueue
from chatconnect.ports.models import ChatModel, ChatModels, Finished, GenerationOptions
from chatconnect.ports.moderation import Moderator
from chatconnect.services.answer_cache import AnswerCacheService
from chatconnect.services.answer_guard import AnswerGuard
from chatconnect.services.composing import Composer, Composition
from chatconnect.services.drafts import Draft, Request
from chatconnect.services.json_answers import JsonModel
from chatconnect.services.memory import MemoryService
from chatconnect.services.metering import CountTokens, MeteredModel
from chatconnect.services.model_choice import ModelChoice
from chatconnect.services.moderation import Moderated, Refused
from chatconnect.services.spending import SpendingService
from chatconnect.services.timings import Span, Timings
from chatconnect.services.tool_rounds import ToolRounds
from chatconnect.services.toolbox import Toolbox, Toolset

LONGEST_ANSWER_SECONDS = 240.0
# The turn's beginning is stored while the model is waited for, so that it takes no time from what comes before that.
BEGIN_WITHIN_SECONDS = 0.02

OnTurn = Callable[[Turn, Sequence[Span]], None]
OnFault = Callable[[Turn, BaseException], None]


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
        draft = Draft(request, self._spending.budget(request.reservation, request.assistant.config))
        beginning = None if request.recorded else asyncio.create_task(self._begin(turn, request.timings, draft.asked))
        caught, cancelled = Caught(), False
        try:
            with caught:
                async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
                    async for event in self._moderated(request, draft):
                        yield event
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            cancelled = True
        error = self._error_of(turn, caught.fault)
        draft.asked.set()
        if beginning is not None:
            await _uncancelled(beginning)
        ended = draft.ended(error, self._prices, self._clock(), cancelled=cancelled)
        await _uncancelled(self._record(ended, request.timings))
        await _uncancelled(self._spending.settle(request.reservation, ended.answer.usage))
        yield _last_event(ended, error)
        await self._answers.keep(request.asked, ended, request.assistant, called_tools=draft.called_tools)
        beside = self._spending.budget_beside(request.reservation, request.assistant.config)
        await self._memory.remember(ended, request.assistant, request.history, beside)

    def _error_of(self, turn: Turn, fault: Exception | None) -> ChatConnectError | None:
        """Return what the asker is told of a fault; one that nobody expects is logged."""
        if isinstance(fault, TimeoutError):
            return Unavailable("the answer", code="answer_timeout")
        if fault is None or isinstance(fault, ChatConnectError):
            return fault
        self._on_fault(turn, fault)
        return ChatConnectError("something went wrong on our side")

    async def _begin(self, turn: Turn, timings: Timings, asked: asyncio.Event) -> None:
        """Store the turn's beginning while the answer is being found. What fails here is made good by `_record`."""
        with Caught(partial(self._on_fault, turn)):
            with suppress(TimeoutError):
                async with asyncio.timeout(BEGIN_WITHIN_SECONDS):
                    await asked.wait()
            with timings.step("begin"):
                await self._conversations_of(turn.conversation.tenant_id).begin(turn)

    async def _moderated(self, request: Request, draft: Draft) -> AsyncIterator[Event]:
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
            yield draft.event(f"\n\n{words}" if draft.text else words)

    async def _generate(self, request: Request, draft: Draft) -> AsyncIterator[Event]:
        config = request.assistant.config
        draft.model = self._choice.for_assistant(config)
        draft.metered = MeteredModel(draft.model, self._count_tokens, draft.budget.for_answer())
        draft.moderated = moderated = Moderated(config.moderation, self._moderator)
        composed, toolset = await self._prepared(request, draft, moderated)
        draft.context, prompt, passages = composed.context, composed.prompt, composed.passages
        form = request.response_format
        model: ChatModel = JsonModel(draft.metered, form) if form.is_json else draft.metered
        rounds = ToolRounds(
            model, toolset.tools, limit=config.tool_rounds, on_fault=partial(self._on_fault, request.turn)
        )
        draft.rounds = rounds.rounds
        checked: CitationStream | Uncited = Uncited() if form.is_json else CitationStream(passages)
        passed = moderated.whole if form.is_json else moderated.passed
        draft.citations = checked.citations
        guard = AnswerGuard(request, composed, moderated)
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
                for event in _events_of(guard.passed(await passed(delta.text)), checked, draft):
                    yield event
        if draft.finished is None:
            raise ProviderFailed
        for event in _events_of(chain(guard.passed(await moderated.rest()), guard.rest()), checked, draft):
            yield event
        for piece in checked.end():
            yield draft.event(piece)
        for event in _in_place_of_nothing(draft):
            yield event

    async def _again(self, request: Request, given: GivenAnswer, draft: Draft) -> AsyncIterator[Event]:
        """Give an answer that was given before; its text was moderated then, under the same configuration."""
        draft.moderated = Moderated(request.assistant.config.moderation, self._moderator)
        await draft.moderated.check_input(request.turn.question.text)
        draft.from_cache, draft.first_token_at = True, time.perf_counter()
        for citation in given.citations:
            draft.citations.append(citation)
            yield Cited(citation)
        yield draft.event(given.text)

    async def _prepared(self, request: Request, draft: Draft, moderated: Moderated) -> tuple[Composition, Toolset]:
        """Return the prompt and the tools, looked up meanwhile; what a tool finds is added to the prompt's passages."""
        passages: list[Passage] = []
        tenant_id, config = request.turn.conversation.tenant_id, request.assistant.config
        composed, toolset = await asyncio.gather(
            self._composed(request, draft, moderated),
            self._toolbox.tools(tenant_id, config, passages),
            return_exceptions=True,  # neither is left behind when the other fails
        )
        if isinstance(composed, BaseException):
            raise composed
        if isinstance(toolset, BaseException):
            raise toolset
        passages += composed.passages
        told = [tool.definition for tool in toolset.tools]
        offered = [OfferedTool(each.name, each.description, each.parameters) for each in told]
        return replace(composed, passages=passages, context=composed.context.with_tools(offered)), toolset

    async def _composed(self, request: Request, draft: Draft, moderated: Moderated) -> Composition:
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

    async def _record(self, turn: Turn, timings: Timings) -> None:
        """Store the turn, or else have it wait to be stored."""
        on_fault = partial(self._on_fault, turn)
        with Caught(on_fault) as caught, timings.step("record"):
            await self._conversations_of(turn.conversation.tenant_id).complete(turn)
        if caught.fault is not None:
            with Caught(on_fault):
                await self._waiting_turns.put(turn)
        self._on_turn(replace(turn, answer=replace(turn.answer, timings=timings.milliseconds())), timings.spans)


async def _uncancelled(work: Coroutine[Any, Any, None] | asyncio.Task[None]) -> None:
    """Finish the work even when the wish to cancel comes only now."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        if (current := asyncio.current_task()) is not None:
            current.uncancel()
        await task


def _events_of(texts: Iterable[str], checked: CitationStream | Uncited, draft: Draft) -> Iterator[Event]:
    for text in texts:
        for piece in checked.feed(text):
            yield draft.event(piece)


def _in_place_of_nothing(draft: Draft) -> Iterator[Event]:
    """Yield the words of refusal where a vendor's filter let nothing be said. Raises ProviderFailed otherwise."""
    if any(map(str.strip, draft.text)):
        return
    if draft.finished is None or draft.finished.reason != "filtered":
        raise ProviderFailed("answer_empty")
    yield draft.event(draft.request.assistant.config.moderation.refusal)


def _last_event(turn: Turn, error: ChatConnectError | None) -> Event:
    if error is not None:
        return Failed.of(error)
    answer = turn.answer
    return Done(answer.finish_reason or "stop", answer.usage, answer.citations)
