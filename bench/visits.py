"""Visitors who ask the product questions and behave as visitors do: they stay, leave, come back, cancel, ask twice."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx

from bench.faults import TOKENS, Fault, Script, script, token
from bench.texts import question
from tests.integration.api.clients import Caller, Event, Refused, ended_once, events_of, text_of

INTERRUPTED = "answer_interrupted"
_LONGEST_CONVERSATION = 4  # questions


class Manner(StrEnum):
    """How a visitor listens to an answer."""

    STAY = "stay"
    RETURN = "return"
    LEAVE = "leave"
    CANCEL = "cancel"
    REPEAT = "repeat"


_SHARES = {Manner.STAY: 50, Manner.RETURN: 18, Manner.LEAVE: 6, Manner.CANCEL: 10, Manner.REPEAT: 16}


@dataclass(slots=True)
class Visit:
    """One question and what was heard of its answer; `wrong` says what was not as promised.

    `end` is the last event, None when nobody listened to it; `silence` the longest wait for an event, in seconds.
    """

    number: int
    script: Script
    manner: Manner
    chance: random.Random
    answer_id: str = ""
    text: str = ""
    end: Event | None = None
    streams: int = 0
    seconds: float = 0.0
    silence: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def planned(cls, seed: int, number: int) -> "Visit":
        """Return the visit that a seed means for a question."""
        chance = random.Random(f"{seed}:visit:{number}")
        [manner] = chance.choices(list(_SHARES), list(_SHARES.values()))
        return cls(number, script(seed, number), manner, chance)

    @property
    def message(self) -> str:
        """The question's text."""
        return f"Question {self.number}: {question(random.Random(self.number))}"

    @property
    def outcome(self) -> str:
        """How the answer ended, in two words."""
        if self.end is None:
            return "left early"
        return f"{self.end.name} {self.end.data['finish_reason' if self.end.name == 'done' else 'code']}"

    def take(self, events: list[Event]) -> None:
        """Note a whole stream. Raises AssertionError when it is not as promised."""
        self.end = ended_once(events)
        self.answer_id, self.text = events[0].data["message_id"], text_of(events)

    def check(self) -> None:
        """Check that the answer is what the script means. Raises AssertionError."""
        said = len(self.text.split())
        assert self.text == "".join(token(self.number, position) for position in range(said)), "tokens are mixed up"
        if self.end is None or (self.manner is Manner.CANCEL and self.outcome == "done cancelled"):
            return
        came_back = self.manner in (Manner.RETURN, Manner.REPEAT)
        if self.script.fault is Fault.STALL and came_back and self.outcome == f"error {INTERRUPTED}":
            return  # whoever comes back to a silent answer may lose patience before its provider's silence is noticed
        expected = f"error {self.script.error}" if self.script.error else "done stop"
        assert self.outcome == expected, f"ended in {self.outcome}, not {expected}"
        assert said == self.script.text, f"{said} tokens, not {self.script.text}"


class Visitor:
    """Asks one question after the other. `patience` is the longest silence within a stream, in seconds."""

    def __init__(self, callers: Mapping[bool, Caller], patience: float) -> None:
        """`callers` are this visitor at the company whose provider answers (True) and at the other one's."""
        self._callers, self._patience = callers, patience
        self._conversations: dict[bool, tuple[str, int]] = {}

    async def visit(self, visit: Visit) -> None:
        """Ask the question and listen in the planned manner."""
        began = time.monotonic()
        try:
            await self._listen(visit)
            visit.check()
        except (AssertionError, Refused, httpx.HTTPError, TimeoutError, StopAsyncIteration) as error:
            visit.wrong.append(f"question {visit.number} ({visit.script.fault}, {visit.manner}): {error!r}")
        visit.seconds = time.monotonic() - began

    async def _listen(self, visit: Visit) -> None:
        served = visit.script.fault is not Fault.REFUSED
        caller, more = self._callers[served], self._place(served)
        match visit.manner:
            case Manner.REPEAT:
                events = await self._twice(visit, caller, more)
            case Manner.CANCEL:
                events = await self._cancelling(visit, caller, more)
            case Manner.STAY:
                events = await self._stream(visit, caller, more)
            case _:
                events = await self._leaving(visit, caller, more)
        visit.answer_id = events[0].data["message_id"]
        conversation_id = events[0].data["conversation_id"]
        known, asked = self._conversations.get(served, ("", 0))
        self._conversations[served] = (conversation_id, asked + 1 if known == conversation_id else 1)

    def _place(self, served: bool) -> dict[str, Any]:
        conversation_id, asked = self._conversations.get(served, ("", _LONGEST_CONVERSATION))
        return {"conversation_id": conversation_id} if asked < _LONGEST_CONVERSATION else {}

    async def _stream(self, visit: Visit, caller: Caller, more: dict[str, Any]) -> list[Event]:
        visit.streams += 1
        async with caller.streaming(visit.message, **more) as stream:
            events = await self._heard(visit, stream)
        visit.take(events)
        return events

    async def _leaving(self, visit: Visit, caller: Caller, more: dict[str, Any]) -> list[Event]:
        """Leave in the middle; come back, perhaps twice, or never."""
        visit.streams += 1
        async with caller.streaming(visit.message, **more) as stream:
            events = await self._heard(visit, stream, at_most=visit.chance.randint(1, TOKENS))
        if visit.manner is Manner.LEAVE:
            return events
        for at_most in (visit.chance.choice([None, 3]), None):
            if events[-1].name not in ("done", "error"):
                await asyncio.sleep(visit.chance.uniform(0, 0.5))
                events += await self._resumed(visit, caller, events, at_most)
        visit.take(events)
        return events

    async def _resumed(self, visit: Visit, caller: Caller, events: list[Event], at_most: int | None) -> list[Event]:
        visit.streams += 1
        path, headers = f"/v1/chat/stream/{events[0].data['message_id']}", {"Last-Event-ID": str(events[-1].id)}
        async with caller.http.stream("GET", path, headers=caller.headers | headers) as response:
            return await self._heard(visit, await events_of(response), at_most)

    async def _cancelling(self, visit: Visit, caller: Caller, more: dict[str, Any]) -> list[Event]:
        visit.streams += 1
        async with caller.streaming(visit.message, **more) as stream:
            events = await self._heard(visit, stream, at_most=visit.chance.randint(1, 6))
            if events[-1].name not in ("done", "error"):
                answer = await caller.post(f"/v1/chat/{events[0].data['message_id']}/cancel")
                assert answer.status_code == 202, answer.text
                events += await self._heard(visit, stream)
        visit.take(events)
        return events

    async def _twice(self, visit: Visit, caller: Caller, more: dict[str, Any]) -> list[Event]:
        """Ask twice with one key: in the same instant, while the first answer comes, or when it has come."""
        key, lag = f"question-{visit.number}", visit.chance.choice([0.0, 0.2, None])
        if lag is None:
            both = [await self._keyed(visit, caller, more, key, 0.0) for _ in range(2)]
        else:
            both = await asyncio.gather(*(self._keyed(visit, caller, more, key, delay) for delay in (0.0, lag)))
        for events in both:
            visit.take(events)
            visit.check()
        [first, second] = both
        assert first[0].data["message_id"] == second[0].data["message_id"], "two answers for one key"
        return first

    async def _keyed(self, visit: Visit, caller: Caller, more: dict[str, Any], key: str, delay: float) -> list[Event]:
        await asyncio.sleep(delay)
        visit.streams += 1
        async with caller.streaming(visit.message, key=key, **more) as stream:
            return await self._heard(visit, stream)

    async def _heard(self, visit: Visit, stream: AsyncIterator[Event], at_most: int | None = None) -> list[Event]:
        """Return the events up to the stream's end, or so many. Raises TimeoutError after too long a silence."""
        events: list[Event] = []
        while len(events) != at_most:
            since = time.monotonic()
            async with asyncio.timeout(self._patience):
                event = await anext(stream, None)
            visit.silence = max(visit.silence, time.monotonic() - since)
            if event is None:
                break
            events.append(event)
        return events
