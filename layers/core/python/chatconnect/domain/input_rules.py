"""Patterns that a company forbids, as an automaton: its time is bounded.

A text is read once, character by character, whatever it and the patterns (see pattern_syntax.py) are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from chatconnect.domain.pattern_syntax import Matches, Part, invalid_pattern, is_word, parsed

MAX_PATTERNS = 20
MAX_STEPS = 1_000  # of all patterns together, once their repeats are written out
_REMEMBERED = 2_000


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
            raise invalid_pattern(f"at most {MAX_PATTERNS} patterns can be forbidden")
        self._steps = [_Step()]
        self._found = self._add(_Step())
        for pattern in patterns:
            end = _Builder(self._add, self._steps).build(parsed(pattern), 0)
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
            raise invalid_pattern("the patterns are too long together, with their repeats written out")
        self._steps.append(step)
        return len(self._steps) - 1

    def _moved(self, places: frozenset[int], character: str, *, after_word: bool) -> tuple[frozenset[int], bool]:
        word = bool(character) and is_word(character)
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


class _Builder:
    """Writes a pattern's parts out as steps."""

    def __init__(self, add: Callable[[_Step], int], steps: list[_Step]) -> None:
        self._add, self._steps = add, steps

    def build(self, node: Part, start: int) -> int:
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

    def _once(self, node: Part, start: int) -> int:
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
