"""Patterns that a company forbids: a small language of regular expressions, and a matcher whose time is bounded.

Understood are characters, `.`, `\\d`, `\\w`, `\\s` and their opposites, `\\b`, classes like `[a-z0-9]` and `[^x]`,
groups, `|`, and the repeats `?`, `*`, `+`, `{2}`, `{2,}` and `{2,5}`. There are no references back and nothing that
looks around, so that a text is read once, character by character, whatever it and the pattern are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from chatconnect.domain.errors import Invalid

MAX_PATTERNS = 20
MAX_PATTERN = 200
MAX_STEPS = 1_000  # of all patterns together, once their repeats are written out
MAX_REPEAT = 100
_REMEMBERED = 2_000

Matches = Callable[[str], bool]


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


_CLASSES: dict[str, Matches] = {
    "d": str.isdecimal, "w": _is_word, "s": str.isspace,
    "D": lambda c: not c.isdecimal(), "W": lambda c: not _is_word(c), "S": lambda c: not c.isspace(),
}  # fmt: skip


@dataclass(slots=True)
class _Step:
    """A place in a pattern: a character that `takes` allows leads to `after`; without `takes` it leads there at once.

    `border`: only at a word's beginning or end.
    """

    takes: Matches | None = None
    border: bool = False
    after: list[int] = field(default_factory=list)


class ForbiddenPatterns:
    """All patterns of an assistant as one automaton. What it has worked out for a state and a character it remembers.

    Raises Invalid for what is no pattern here, and for patterns that are too many or too long.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        if len(patterns) > MAX_PATTERNS:
            raise _invalid(f"at most {MAX_PATTERNS} patterns can be forbidden")
        self._steps = [_Step()]
        self._found = self._add(_Step())
        for pattern in patterns:
            end = _Builder(self._add, self._steps).build(_Parser(pattern).pattern(), 0)
            self._steps[end].after.append(self._found)
        self._next: dict[tuple[frozenset[int], bool, str], tuple[frozenset[int], bool]] = {}

    def occur_in(self, text: str) -> bool:
        """Whether one of them is found anywhere in a text, which has to be `comparable`."""
        if len(self._steps) == 2:
            return False
        places, after_word = frozenset({0}), False
        for character in (*text, ""):  # the end is no character, but a word's border
            if len(self._next) > _REMEMBERED:
                self._next.clear()
            known = self._next.get((places, after_word, character))
            if known is None:
                known = self._moved(places, character, after_word=after_word)
                self._next[places, after_word, character] = known
            places, after_word = known
            if self._found in places:
                return True
        return False

    def _add(self, step: _Step) -> int:
        if len(self._steps) >= MAX_STEPS:
            raise _invalid("the patterns are too long together, with their repeats written out")
        self._steps.append(step)
        return len(self._steps) - 1

    def _moved(self, places: frozenset[int], character: str, *, after_word: bool) -> tuple[frozenset[int], bool]:
        word = bool(character) and _is_word(character)
        reached = self._reached(places, at_border=word != after_word)
        if self._found in reached:
            return frozenset({self._found}), word
        moved = {0}  # a pattern may begin anywhere
        for number in reached:
            step = self._steps[number]
            if step.takes is not None and character and step.takes(character):
                moved.update(step.after)
        return frozenset(moved), word

    def _reached(self, places: Iterable[int], *, at_border: bool) -> set[int]:
        reached, waiting = set(places), list(places)
        while waiting:
            step = self._steps[waiting.pop()]
            if step.takes is None and (at_border or not step.border):
                waiting += [number for number in step.after if number not in reached]
                reached.update(step.after)
        return reached


@lru_cache(maxsize=64)
def forbidden_patterns(patterns: tuple[str, ...]) -> ForbiddenPatterns:
    """Return the patterns, read once. Raises Invalid."""
    return ForbiddenPatterns(patterns)


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of a pattern: one character, a border, parts one after another or instead of each other, or a repeat."""

    takes: Matches | None = None
    border: bool = False
    parts: tuple["_Node", ...] = ()
    either: bool = False
    times: tuple[int, int | None] = (1, 1)


class _Builder:
    """Writes a pattern's parts out as steps."""

    def __init__(self, add: Callable[[_Step], int], steps: list[_Step]) -> None:
        self._add, self._steps = add, steps

    def build(self, node: _Node, start: int) -> int:
        """Lead from a step through the part; return the step where that ends."""
        low, high = node.times
        at = start
        for _ in range(low):
            at = self._once(node, at)
        if high is None:
            around = self._step_after(at)
            self._steps[self._once(node, around)].after.append(around)
            return self._step_after(around)
        skipped = [at]
        for _ in range(high - low):
            at = self._once(node, at)
            skipped.append(at)
        return at if len(skipped) == 1 else self._step_after(*skipped)

    def _once(self, node: _Node, start: int) -> int:
        if node.either:
            return self._step_after(*(self.build(part, self._step_after(start)) for part in node.parts))
        if node.parts:
            for part in node.parts:
                start = self.build(part, start)
            return start
        if node.takes is None and not node.border:
            return start
        number = self._add(_Step(node.takes, node.border))
        self._steps[start].after.append(number)
        return self._step_after(number)

    def _step_after(self, *steps: int) -> int:
        number = self._add(_Step())
        for each in steps:
            self._steps[each].after.append(number)
        return number


class _Parser:
    """Reads one pattern. Raises Invalid."""

    def __init__(self, pattern: str) -> None:
        if not 1 <= len(pattern) <= MAX_PATTERN or not pattern.strip() or "\0" in pattern:
            raise _invalid(f"a pattern has 1 to {MAX_PATTERN} characters")
        self._text, self._at = pattern, 0

    def pattern(self) -> _Node:
        """Return the whole pattern's part, which takes at least one character."""
        node = self._either()
        if self._at < len(self._text):
            raise self._wrong("a bracket too many")
        if _may_be_empty(node):
            raise self._wrong("a pattern that fits no character at all")
        return node

    def _either(self) -> _Node:
        parts = [self._sequence()]
        while self._takes("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else _Node(parts=tuple(parts), either=True)

    def _sequence(self) -> _Node:
        parts: list[_Node] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._one()))
        return _Node(parts=tuple(parts))

    def _one(self) -> _Node:
        character = self._character()
        if character == "(":
            node = self._either()
            if not self._takes(")"):
                raise self._wrong("a bracket that is not closed")
            return node
        if character == "[":
            return _Node(self._class())
        if character == "\\":
            return self._escaped()
        if character in "?*+{}]^$":
            raise self._wrong(f"a {character} that stands for nothing here; write it with a \\ before it")
        return _Node(bool) if character == "." else _literal(character)

    def _escaped(self) -> _Node:
        character = self._character()
        if character == "b":
            return _Node(border=True)
        if character in _CLASSES:
            return _Node(_CLASSES[character])
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

    def _repeated(self, node: _Node) -> _Node:
        for mark, times in (("?", (0, 1)), ("*", (0, None)), ("+", (1, None))):
            if self._takes(mark):
                return self._times(node, *times)
        if not self._takes("{"):
            return node
        low, comma, high = self._until("}").partition(",")
        if not (low.isdecimal() and low.isascii()) or (high and not (high.isdecimal() and high.isascii())):
            raise self._wrong("a repeat that is not like {2}, {2,} or {2,5}")
        return self._times(node, int(low), int(high) if high else (None if comma else int(low)))

    def _times(self, node: _Node, low: int, high: int | None) -> _Node:
        if max(low, high or 0) > MAX_REPEAT or (high is not None and high < low):
            raise self._wrong(f"a repeat beyond {MAX_REPEAT}")
        if self._text[self._at : self._at + 1] in ("?", "*", "+", "{") and self._at < len(self._text):
            raise self._wrong("a repeat of a repeat")
        return _Node(parts=(node,), times=(low, high))

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
        return _invalid(f"the pattern has {what}, at character {self._at}")


def _may_be_empty(node: _Node) -> bool:
    if node.times[0] == 0:
        return True
    if node.either:
        return any(map(_may_be_empty, node.parts))
    return node.takes is None and all(map(_may_be_empty, node.parts))


def _literal(character: str) -> _Node:
    """Return a character without its case, which may make several of it."""
    return _Node(parts=tuple(_Node(_between(each, each)) for each in character.casefold()))


def _between(first: str, last: str) -> Matches:
    return lambda c: first <= c <= last or first <= c.upper() <= last


def _invalid(why: str) -> Invalid:
    return Invalid(why, code="invalid_pattern", details={"field": "moderation.forbidden_patterns"})
