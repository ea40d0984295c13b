"""Notices when an answer recites what its visitor is not to read, while it streams.

Twelve words in a row that stand so in the instructions are too many, and so is a whole short one. What comes between
words (case, punctuation, numbers, line breaks) makes no difference. Ordinary text is never held back; what may be the
beginning of a recital is, for at most those twelve words.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

# Scripts that put no spaces between words: each character counts by itself, for half a word.
_DENSE = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_DENSE}]|[^\W\d_{_DENSE}]+")
_DENSE_WORD = re.compile(f"[{_DENSE}]")
_GRAM = 4
_SHORTEST = 5  # words of an instruction that counts as a whole
_ENOUGH = 24  # half words
_LONGEST_WORD = 100

PublicTexts = Callable[[], Iterable[str]]


class Recited(Exception):
    """The answer recites what is hidden. `before` is what of the same piece came before and may be shown."""

    def __init__(self, before: str = "") -> None:
        super().__init__()
        self.before = before


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is not to be recited: the hashes of all runs of four words, and whole short texts by their last four."""

    grams: frozenset[int]
    short: frozenset[tuple[str, ...]]


@lru_cache(maxsize=32)  # a turn's instructions are mostly those of the turn before
def hidden(instructions: str, messages: tuple[str, ...], public: tuple[str, ...]) -> Hidden:
    """Return what of the instructions is hidden; `messages` are those that count as a whole when they are short.

    `public` are the parts of them that the answer is meant to say, such as the words of refusal.
    """
    for text in filter(None, public):
        instructions = instructions.replace(text, "\0")
    parts = [_words(part) for part in instructions.split("\0")]
    grams = {hash(tuple(words[at : at + _GRAM])) for words in parts for at in range(len(words) - _GRAM + 1)}
    wholes = [tuple(_words(message)) for message in messages if message not in public]
    return Hidden(frozenset(grams), frozenset(each for each in wholes if len(each) >= _SHORTEST and not _long(each)))


class RecitationGuard:
    """Takes an answer piece by piece and gives on what is no recital.

    `public` returns texts that may be quoted at any length, such as the passages; it is asked when it matters.
    """

    def __init__(self, secret: Hidden, public: PublicTexts = tuple) -> None:
        self._secret, self._public = secret, public
        self._held = self._partial = ""
        self._last: deque[str] = deque(maxlen=_ENOUGH + _GRAM)
        self._run = 0  # the last words that all stand in the instructions, in runs of four
        self._lengths = {len(each) for each in secret.short}

    def feed(self, text: str) -> str:
        """Return what may be shown now. Raises Recited."""
        self._held += text
        text = self._partial + text
        words = list(_WORD.finditer(text))
        self._partial = ""
        if words and words[-1].end() == len(text) and len(words[-1][0]) < _LONGEST_WORD:
            self._partial = words.pop()[0]  # it may go on
        safe = 0
        for word in words:
            if not self._run:
                safe = max(0, word.start() + len(self._held) - len(text))
            if self._recites(word[0]):
                raise Recited(self._held[:safe])
        if not self._run:
            return self._released()
        shown, self._held = self._held[:safe], self._held[safe:]
        return shown

    def end(self) -> str:
        """Return what was held back. Raises Recited."""
        if self._partial and self._recites(self._partial):
            raise Recited
        return self._released()

    def _released(self) -> str:
        held, self._held = self._held, ""
        return held

    def _recites(self, word: str) -> bool:
        """Take the next word, and say whether a recital is complete with it."""
        word, last = word.casefold(), self._last
        last.append(word)
        if len(last) < _GRAM or hash((last[-4], last[-3], last[-2], word)) not in self._secret.grams:
            self._run = 0
            return False
        self._run = min(self._run + 1 if self._run else _GRAM, len(last))
        said = tuple(last)[-self._run :]
        return (_long(said) or self._is_whole(said)) and not self._may_be_said(said)

    def _is_whole(self, said: tuple[str, ...]) -> bool:
        return any(length <= len(said) and said[-length:] in self._secret.short for length in self._lengths)

    def _may_be_said(self, said: tuple[str, ...]) -> bool:
        quoted = f" {' '.join(said)} "
        if any(quoted in f" {' '.join(_words(text))} " for text in self._public()):
            self._run = 0
            return True
        return False


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _long(words: tuple[str, ...]) -> bool:
    return len(words) * 2 >= _ENOUGH and sum(1 if _DENSE_WORD.match(word) else 2 for word in words) >= _ENOUGH
