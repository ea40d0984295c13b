"""Keeps from a visitor what an answer must not bring, whatever its model was told by whom.

Models follow instructions wherever they read them. So nothing here relies on the model: not what it was told, and no
address, picture or tag that somebody had it write, comes out.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from chatconnect.domain.composition import controls_in_words
from chatconnect.domain.links import AllowedLinks
from chatconnect.domain.moderation import INSTRUCTIONS
from chatconnect.domain.recitation import RecitationGuard, Recited, hidden
from chatconnect.domain.response_format import TEXT
from chatconnect.domain.safe_markup import SafeMarkup
from chatconnect.services.composing import Composition
from chatconnect.services.drafts import Request
from chatconnect.services.moderation import Moderated


class AnswerGuard:
    """Guards one answer; what it refuses is recorded in `moderated`.

    Ordinary text passes at once. Held back is the beginning of what may be a recital of the instructions, and of what
    may be a link. Links lead to the company's websites, or where the instructions or the passages lead.
    """

    def __init__(self, request: Request, composed: Composition, moderated: Moderated) -> None:
        config, form = request.assistant.config, request.response_format
        told = composed.prompt.instructions
        own = controls_in_words(config, request.company, (config.system_prompt, *config.control_messages), TEXT)
        messages = (*own, *request.controls)
        # The form of an answer is no secret of whoever asked for it.
        public = (config.refusal, form.instruction if form.is_json else "")
        self._moderated, self._passages = moderated, composed.passages
        self._recitation = partial(RecitationGuard, hidden(told, messages, public), self._quotable)
        self._markup = partial(SafeMarkup, AllowedLinks(request.websites, lambda: (told, *self._quotable())).allows)
        self._reciting, self._written = self._recitation(), self._markup()
        self._is_json = form.is_json

    def passed(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield what of the pieces may be shown now. Raises Refused, after what came before."""
        for text in filter(None, texts):
            if self._is_json:
                yield self._json(text)
            else:
                yield from self._guarded(partial(self._reciting.feed, text))

    def rest(self) -> Iterator[str]:
        """Yield what was held back. Raises Refused."""
        if not self._is_json:
            yield from self._guarded(self._reciting.end)
            yield self._written.end()

    def _guarded(self, give: Callable[[], str]) -> Iterator[str]:
        """Yield what the guard against recitals gives, with its markup made safe. Raises Refused."""
        try:
            given = give()
        except Recited as recited:
            yield self._written.feed(recited.before)
            self._moderated.refuse_answer(INSTRUCTIONS)
        if shown := self._written.feed(given):
            yield shown

    def _json(self, text: str) -> str:
        """Return an answer in JSON with its texts made safe, itself unchanged when they are."""
        answer = json.loads(text)
        try:
            for each in (text, *_texts(answer)):
                guard = self._recitation()
                guard.feed(each)
                guard.end()
        except Recited:
            self._moderated.refuse_answer(INSTRUCTIONS)
        safe = self._safe(answer)
        return text if safe == answer else json.dumps(safe, ensure_ascii=False)

    def _safe(self, value: object) -> object:
        match value:
            case str():
                return self._markup().whole(value)
            case list():
                return [self._safe(each) for each in value]
            case dict():
                return {self._markup().whole(name): self._safe(each) for name, each in value.items()}
        return value

    def _quotable(self) -> Iterable[str]:
        return (text for passage in self._passages for text in (passage.chunk.text, passage.chunk.title))


def _texts(value: object) -> Iterable[str]:
    match value:
        case str():
            yield value
        case list():
            for each in value:
                yield from _texts(each)
        case dict():
            for name, each in value.items():
                yield name
                yield from _texts(each)
