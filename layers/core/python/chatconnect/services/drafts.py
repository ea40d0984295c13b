"""An answer in the making: what was asked for, what there is of it, and what it is when it ends."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chatconnect.domain.assistant import Assistant
from chatconnect.domain.context import PromptContext, ToolRound
from chatconnect.domain.conversation import Citation, Message, MessageStatus, Turn, Usage
from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.events import Cited, Event, Token
from chatconnect.domain.given_answer import GivenAnswer
from chatconnect.domain.pricing import PriceTable
from chatconnect.domain.response_format import TEXT, ResponseFormat
from chatconnect.ports.answer_cache import Asked
from chatconnect.ports.budgets import Reservation
from chatconnect.ports.epochs import Epoch
from chatconnect.ports.models import Finished
from chatconnect.services.metering import MeteredModel
from chatconnect.services.model_choice import ChosenModel
from chatconnect.services.moderation import Moderated
from chatconnect.services.timings import Timings
from chatconnect.services.turn_budget import TurnBudget


@dataclass(frozen=True, slots=True)
class Request:
    """A turn to be answered. `arrived` is `time.perf_counter()` at the request; `recorded` says the turn's beginning
    is stored already, `reservation` what was set aside for it. `controls` are what the model is told beside the
    assistant's own instructions, as it stands in the prompt; `response_format` is what the answer has to keep to.
    What was kept in `epoch` may be gone by; None: nothing. `given` is an answer to give again; `asked` what the one to
    be made is kept under, if it is. `websites` are the domains of the company's widgets.
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
    websites: tuple[str, ...] = ()


@dataclass(slots=True)
class Draft:
    """What there is of an answer so far. Times are of `time.perf_counter()`."""

    request: Request
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
    rounds: Sequence[ToolRound] = ()
    called_tools: bool = False
    from_cache: bool = False

    def event(self, piece: str | Citation) -> Event:
        """Take in a piece of the answer, and return it as an event."""
        if isinstance(piece, Citation):
            return Cited(piece)
        self.text.append(piece)
        return Token(piece)

    def ended(self, error: ChatConnectError | None, prices: PriceTable, now: datetime, *, cancelled: bool) -> Turn:
        """Return the turn as it is to be stored, with what it took at the prices of its day."""
        text = "".join(self.text)
        provider, model = self._answered_by()
        if error is not None:
            status, reason = (MessageStatus.PARTIAL if text else MessageStatus.FAILED), "error"
        elif cancelled:
            status, reason = MessageStatus.PARTIAL, "cancelled"
        elif self.refused:
            status, reason = MessageStatus.COMPLETE, "refused"
        else:
            status, reason = MessageStatus.COMPLETE, self.finished.reason if self.finished else "stop"
        answer = replace(
            self.request.turn.answer,
            provider=provider,
            model=model,
            text=text,
            status=status,
            completed_at=now,
            usage=self._usage(prices),
            citations=tuple(self.citations),
            moderation=self.moderated.result if self.moderated else None,
            finish_reason=reason,
            error_code=error.code if error else None,
            timings=self._timed(),
        )
        return replace(
            self.request.turn, answer=answer, context=self.context.with_rounds(self.rounds) if self.context else None
        )

    def _usage(self, prices: PriceTable) -> Usage:
        now, first, arrived, usage = time.perf_counter(), self.first_token_at, self.request.arrived, Usage()
        if self.model is not None and self.metered is not None:
            endpoint = self.model.endpoint
            day = self.request.turn.answer.created_at.date()
            usage = self.metered.usage(prices.find(endpoint.provider, endpoint.model, day))
        return replace(
            usage.plus(self.budget.beside),
            first_token_ms=None if first is None else round((first - arrived) * 1000),
            total_ms=round((now - arrived) * 1000),
            from_cache=self.from_cache,
        )

    def _timed(self) -> Mapping[str, float]:
        """Return what the steps took so far; those of the model from when it was asked."""
        timings = self.request.timings
        if self.asked_at is not None:
            now = time.perf_counter()
            timings.add("first_token", self.asked_at, self.first_token_at or now)
            timings.add("generate", self.asked_at, now)
        return timings.milliseconds()

    def _answered_by(self) -> tuple[str, str]:
        """Return the provider and the model: a fallback may have taken the place of the assistant's own."""
        answered = self.model.endpoint if self.model else self.request.assistant.config
        return answered.provider, answered.model
