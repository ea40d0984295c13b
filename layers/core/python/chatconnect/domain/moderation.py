"""What an assistant neither reads nor says: rules that need no outside help, and what a check has found."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files

from chatconnect.domain.errors import Invalid
from chatconnect.domain.input_rules import forbidden_patterns
from chatconnect.domain.text import comparable, is_visible

FORBIDDEN = "forbidden_phrase"
FORBIDDEN_PATTERN = "forbidden_pattern"
INSTRUCTIONS = "instructions"
"""The category of an answer that recites what the model was told; every assistant is kept from that."""

MAX_PHRASES = 200
MAX_PHRASE = 200
MAX_WORDS = 1_000
LONGEST_SENTENCE = 400
"""Characters that are held back at most: a sentence that is longer is checked in parts."""

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]»”]*\s+|(?<=[。！？])|\n+")


class ModerationMode(StrEnum):
    """Who checks: nobody, the rules here, or the model provider and the rules."""

    OFF = "off"
    RULES = "rules"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Moderation:
    """How an assistant is moderated. `refusal` is what a visitor reads in place of what was refused.

    `forbidden_phrases` are found anywhere, inside words too; `forbidden_patterns`: see domain/pattern_syntax.py.
    """

    mode: ModerationMode = ModerationMode.OFF
    refusal: str = "I cannot help with that."
    forbidden_phrases: tuple[str, ...] = ()
    forbidden_patterns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.mode not in list(ModerationMode):
            modes = ", ".join(ModerationMode)
            raise Invalid(f"the moderation is one of {modes}", details={"field": "moderation.mode"})
        object.__setattr__(self, "mode", ModerationMode(self.mode))
        if not is_visible(self.refusal) or len(self.refusal) > MAX_WORDS or "\0" in self.refusal:
            raise Invalid(f"the refusal has 1 to {MAX_WORDS:,} characters", details={"field": "moderation.refusal"})
        phrases = self.forbidden_phrases
        if len(phrases) > MAX_PHRASES or not all(map(_is_phrase, phrases)):
            raise Invalid(
                f"at most {MAX_PHRASES} phrases of 1 to {MAX_PHRASE} characters can be forbidden",
                details={"field": "moderation.forbidden_phrases"},
            )
        forbidden_patterns(self.forbidden_patterns)


@dataclass(frozen=True, slots=True)
class ModerationResult:
    """The categories that were found in a question and in its answer; none: it was checked and is fine."""

    input: tuple[str, ...] = ()
    output: tuple[str, ...] = ()


def broken_rules(text: str, forbidden_phrases: tuple[str, ...], patterns: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the categories of the rules that a text breaks; letter case and white space make no difference."""
    plain = comparable(text)
    found = [category for category, rules in _rules() if any(rule.search(plain) for rule in rules)]
    if any(phrase in plain for phrase in _comparable(forbidden_phrases)):
        found.append(FORBIDDEN)
    if forbidden_patterns(patterns).occur_in(plain):
        found.append(FORBIDDEN_PATTERN)
    return tuple(found)


class Sentences:
    """Puts streamed text together to sentences, so that each can be checked before it is shown."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> list[str]:
        """Return the pieces that are complete now; less than a sentence stays."""
        self._rest += text
        done, start = [], 0
        for end in _SENTENCE_END.finditer(self._rest):
            done.append(self._rest[start : end.end()])
            start = end.end()
        self._rest = self._rest[start:]
        while len(self._rest) >= LONGEST_SENTENCE:
            done.append(self._rest[:LONGEST_SENTENCE])
            self._rest = self._rest[LONGEST_SENTENCE:]
        return [piece for piece in done if piece]

    def end(self) -> list[str]:
        """Return what is left."""
        rest, self._rest = self._rest, ""
        return [rest] if rest else []


def _is_phrase(text: str) -> bool:
    return len(text) <= MAX_PHRASE and is_visible(text) and "\0" not in text


@lru_cache(maxsize=64)
def _comparable(phrases: tuple[str, ...]) -> tuple[str, ...]:
    """Return an assistant's phrases as each sentence of its answers is compared with them."""
    return tuple(map(comparable, phrases))


@cache
def _rules() -> tuple[tuple[str, tuple[re.Pattern[str], ...]], ...]:
    table = json.loads(files(__package__).joinpath("moderation.json").read_text("utf-8"))["categories"]
    return tuple((category, tuple(map(re.compile, patterns))) for category, patterns in table.items())
