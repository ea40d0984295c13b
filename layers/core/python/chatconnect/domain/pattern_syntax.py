"""The language of the patterns that a company forbids: what one may be, and its parts.

Understood are characters, `.`, `\\d`, `\\w`, `\\s` and their opposites, `\\b`, classes like `[a-z0-9]` and `[^x]`,
groups, `|`, and the repeats `?`, `*`, `+`, `{2}`, `{2,}` and `{2,5}`. There are no references back and nothing that
looks around.
"""

from collections.abc import Callable
from dataclasses import dataclass

from chatconnect.domain.errors import Invalid

MAX_PATTERN = 200
MAX_REPEAT = 100

Matches = Callable[[str], bool]


def is_word(character: str) -> bool:
    """Whether a character belongs to a word."""
    return character.isalnum() or character == "_"


_CLASSES: dict[str, Matches] = {
    "d": str.isdecimal, "w": is_word, "s": str.isspace,
    "D": lambda c: not c.isdecimal(), "W": lambda c: not is_word(c), "S": lambda c: not c.isspace(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a pattern: one character, a border, parts one after another or instead of each other, or a repeat."""

    takes: Matches | None = None
    border: bool = False
    parts: tuple["Part", ...] = ()
    either: bool = False
    times: tuple[int, int | None] = (1, 1)


def parsed(pattern: str) -> Part:
    """Return a pattern's parts. Raises Invalid with code "invalid_pattern"."""
    return _Parser(pattern).pattern()


class _Parser:
    """Reads one pattern. Raises Invalid."""

    def __init__(self, pattern: str) -> None:
        if not 1 <= len(pattern) <= MAX_PATTERN or not pattern.strip() or "\0" in pattern:
            raise invalid_pattern(f"a pattern has 1 to {MAX_PATTERN} characters")
        self._text, self._at = pattern, 0

    def pattern(self) -> Part:
        """Return the whole pattern's part, which takes at least one character."""
        node = self._either()
        if self._at < len(self._text):
            raise self._wrong("a bracket too many")
        if _may_be_empty(node):
            raise self._wrong("a pattern that fits no character at all")
        return node

    def _either(self) -> Part:
        parts = [self._sequence()]
        while self._takes("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else Part(parts=tuple(parts), either=True)

    def _sequence(self) -> Part:
        parts: list[Part] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._one()))
        return Part(parts=tuple(parts))

    def _one(self) -> Part:
        character = self._character()
        if character == "(":
            node = self._either()
            if not self._takes(")"):
                raise self._wrong("a bracket that is not closed")
            return node
        if character == "[":
            return Part(self._class())
        if character == "\\":
            return self._escaped()
        if character in "?*+{}]^$":
            raise self._wrong(f"a {character} that stands for nothing here; write it with a \\ before it")
        return Part(bool) if character == "." else _literal(character)

    def _escaped(self) -> Part:
        character = self._character()
        if character == "b":
            return Part(border=True)
        if character in _CLASSES:
            return Part(_CLASSES[character])
        if character.isalnum():
            raise self._wrong(f"\\{character}, which is not understood")
        return _literal(character)

    def _class(self) -> Matches:
        unlike, members = self._takes("^"), list[Matches]()
        while not self._takes("]"):
            first = self._character()
            if first == "\\":
                first = self._character()
                if first in _CLASSES:
                    members.append(_CLASSES[first])
                    continue
            last = first
            if self._text[self._at : self._at + 1] == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                last = self._character()
            if last < first:
                raise self._wrong("a range that ends before it begins")
            members.append(_between(first, last))
        if not members:
            raise self._wrong("a class without characters")
        return lambda c: any(member(c) for member in members) is not unlike

    def _repeated(self, node: Part) -> Part:
        for mark, times in (("?", (0, 1)), ("*", (0, None)), ("+", (1, None))):
            if self._takes(mark):
                return self._times(node, *times)
        if not self._takes("{"):
            return node
        low, comma, high = self._until("}").partition(",")
        if not (low.isdecimal() and low.isascii()) or (high and not (high.isdecimal() and high.isascii())):
            raise self._wrong("a repeat that is not like {2}, {2,} or {2,5}")
        return self._times(node, int(low), int(high) if high else (None if comma else int(low)))

    def _times(self, node: Part, low: int, high: int | None) -> Part:
        if max(low, high or 0) > MAX_REPEAT or (high is not None and high < low):
            raise self._wrong(f"a repeat beyond {MAX_REPEAT}")
        if self._text[self._at : self._at + 1] in ("?", "*", "+", "{") and self._at < len(self._text):
            raise self._wrong("a repeat of a repeat")
        return Part(parts=(node,), times=(low, high))

    def _until(self, mark: str) -> str:
        begin, self._at = self._at, self._text.find(mark, self._at) + 1
        if self._at == 0:
            self._at = begin
            raise self._wrong(f"no {mark}")
        return self._text[begin : self._at - 1][:10]

    def _takes(self, mark: str) -> bool:
        if not self._text.startswith(mark, self._at):
            return False
        self._at += 1
        return True

    def _character(self) -> str:
        if self._at == len(self._text):
            raise self._wrong("an end where there should be more")
        self._at += 1
        return self._text[self._at - 1]

    def _wrong(self, what: str) -> Invalid:
        return invalid_pattern(f"the pattern has {what}, at character {self._at}")


def _may_be_empty(node: Part) -> bool:
    if node.times[0] == 0:
        return True
    if node.either:
        return any(map(_may_be_empty, node.parts))
    return node.takes is None and all(map(_may_be_empty, node.parts))


def _literal(character: str) -> Part:
    """Return a character without its case, which may make several of it."""
    return Part(parts=tuple(Part(_between(each, each)) for each in character.casefold()))


def _between(first: str, last: str) -> Matches:
    return lambda c: first <= c <= last or first <= c.upper() <= last


def invalid_pattern(why: str) -> Invalid:
    """Return the refusal of patterns that cannot be used."""
    return Invalid(why, code="invalid_pattern", details={"field": "moderation.forbidden_patterns"})
