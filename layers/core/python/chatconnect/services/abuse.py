"""Watching what visitors do: who is blocked is refused, who misbehaves is slowed down, and what was seen is kept."""

import asyncio

from chatconnect.domain.abuse import (
    Level,
    Sighting,
    Verdict,
    hold,
    judged,
    judged_alone,
    sighting_of,
    slow_down,
)
from chatconnect.domain.conversation import Turn
from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.identifiers import TenantId, VisitorId
from chatconnect.domain.principals import Asker, Visitor
from chatconnect.domain.visitor import visitor_blocked
from chatconnect.ports.abuse import Occasion, SignalsOf, Watch
from chatconnect.ports.clock import Clock
from chatconnect.ports.faults import OnFault
from chatconnect.services.placement import Question, visitor_of


class AbuseService:
    """Judges visitors' messages, one visitor at a time, and never holds up a tenant.

    A tenant's servers speak for many people: what they pass on is recorded when it is an attempt, and never slowed
    down. `throttles` False: everything is judged and recorded, and nobody is slowed down.
    """

    def __init__(
        self, *, watch: Watch, signals_of: SignalsOf, clock: Clock, on_fault: OnFault, throttles: bool = True
    ) -> None:
        self._watch, self._signals_of, self._clock = watch, signals_of, clock
        self._on_fault, self._throttles = on_fault, throttles
        self._recording: set[asyncio.Task[None]] = set()

    async def judge(self, asker: Asker, question: Question) -> Verdict:
        """Return what a question comes to.

        Raises Forbidden with code "visitor_blocked", LimitReached with code "slow_down".
        """
        text = question.text if question.regenerate is None else None
        if not isinstance(asker, Visitor):
            return Verdict() if text is None else judged_alone(text)
        sighting = sighting_of(text, asker.visitor_id, agent=question.agent, request=question.idempotency_key)
        return await self._judged(asker, sighting)

    async def missed(self, asker: Asker) -> None:
        """Note that somebody tried to reach what does not exist. Raises what `judge` raises."""
        if isinstance(asker, Visitor):
            verdict = await self._judged(asker, Sighting(missed=True))
            self._record_later(asker.tenant_id, asker.visitor_id, verdict, Occasion(self._clock()))

    def note(self, asker: Asker, verdict: Verdict, turn: Turn) -> None:
        """Record what a question came to that is being answered; the answer does not wait for it."""
        occasion = Occasion(self._clock(), turn.conversation.id, turn.question.id)
        self._record_later(asker.tenant_id, visitor_of(asker), verdict, occasion)

    async def drain(self) -> None:
        """Wait until everything is recorded."""
        await asyncio.gather(*self._recording)

    async def _judged(self, visitor: Visitor, sighting: Sighting) -> Verdict:
        tenant_id, visitor_id = visitor.tenant_id, visitor.visitor_id
        noticed = await self._watch.notice(tenant_id, visitor_id, sighting)
        if noticed.blocked:
            raise visitor_blocked()
        if noticed.wait and self._throttles:
            raise slow_down(noticed.wait)
        verdict = judged(noticed.sightings)
        if verdict.level is Level.THROTTLED and self._throttles:
            wait = await self._watch.hold(tenant_id, visitor_id, hold())
            # Whoever is refused may wait for the record: on Lambda nothing goes on after the response.
            await self._record(tenant_id, visitor_id, verdict, Occasion(self._clock(), throttled=True))
            raise slow_down(wait)
        return verdict

    def _record_later(
        self, tenant_id: TenantId, visitor_id: VisitorId | None, verdict: Verdict, occasion: Occasion
    ) -> None:
        if verdict.signals:
            task = asyncio.create_task(self._record(tenant_id, visitor_id, verdict, occasion))
            self._recording.add(task)
            task.add_done_callback(self._recording.discard)

    async def _record(
        self, tenant_id: TenantId, visitor_id: VisitorId | None, verdict: Verdict, occasion: Occasion
    ) -> None:
        try:
            await self._signals_of(tenant_id).record(visitor_id, verdict.signals, occasion)
        except ChatConnectError as error:
            self._on_fault("a signal of abuse is not recorded", error)
