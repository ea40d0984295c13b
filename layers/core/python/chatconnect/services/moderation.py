"""Checks what a visitor writes and what an assistant says, as the assistant is configured."""

from dataclasses import replace
from typing import NoReturn

from chatconnect.domain.errors import LimitReached, Unavailable
from chatconnect.domain.moderation import (
    MAX_PHRASE,
    Moderation,
    ModerationMode,
    ModerationResult,
    Sentences,
    broken_rules,
)
from chatconnect.ports.moderation import Moderator


class Refused(Exception):
    """A text was refused; what for is in the Moderated's result."""


class Moderated:
    """One question and its answer under moderation.

    `result` is None when the assistant asks for none. When the provider cannot be asked nothing passes unchecked:
    everything raises Unavailable with code "moderation_unavailable".
    """

    def __init__(self, settings: Moderation, moderator: Moderator) -> None:
        self._settings, self._moderator = settings, moderator
        self._sentences = Sentences()
        self._before: list[str] = []
        self.result = None if settings.mode is ModerationMode.OFF else ModerationResult()

    async def check_input(self, text: str) -> None:
        """Raise Refused when the question is not to be answered."""
        if self.result is None:
            return
        found = await self._categories(text)
        self.result = replace(self.result, input=found)
        if found:
            raise Refused

    async def passed(self, text: str) -> list[str]:
        """Take a piece of the answer and return the sentences that may be shown now. Raises Refused."""
        if self.result is None:
            return [text]
        return await self._check(self._sentences.feed(text))

    async def whole(self, text: str) -> list[str]:
        """Take an answer that comes in one piece and return it so, or nothing of it. Raises Refused."""
        return ["".join([*await self.passed(text), *await self.rest()])]

    async def rest(self) -> list[str]:
        """Return what is left of the answer. Raises Refused."""
        return [] if self.result is None else await self._check(self._sentences.end())

    def refuse_answer(self, category: str) -> NoReturn:
        """Refuse the answer for what somebody else has found in it. Raises Refused."""
        self.result = replace(self.result or ModerationResult(), output=(category,))
        raise Refused

    async def _check(self, sentences: list[str]) -> list[str]:
        for sentence in sentences:
            # With those before: a phrase may reach over their borders.
            found = await self._categories("".join((*self._before, sentence)))
            if found and self.result is not None:
                self.result = replace(self.result, output=found)
                raise Refused
            self._before.append(sentence)
            while sum(map(len, self._before[1:])) >= MAX_PHRASE:
                del self._before[0]
        return sentences

    async def _categories(self, text: str) -> tuple[str, ...]:
        found = broken_rules(text, self._settings.forbidden_phrases, self._settings.forbidden_patterns)
        if found or self._settings.mode is not ModerationMode.PROVIDER or not text.strip():
            return found
        try:
            return await self._moderator.categories(text)
        except (LimitReached, Unavailable) as error:
            raise Unavailable("moderation", code="moderation_unavailable") from error
