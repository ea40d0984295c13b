"""What a Word file says about its styles and lists: heading levels, and the numbers that stand before list items."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

Attributes = dict[str, str]

_DEPTH = 9
_MAX_BASED_ON = 10
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
          (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_LARGEST_ROMAN = 4_000
_LETTERS = 26
OFF = frozenset({"0", "false", "off"})
"""How an attribute says that what it is about is not so."""
# No number in a Word file has more digits; Python refuses to read those of thousands.
_DIGITS = 9


def whole_number(text: str) -> int | None:
    """Return the number that an attribute holds, or None when it holds none."""
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else None


class ListPlace(NamedTuple):
    """Which list a paragraph belongs to and how deep in it, 0 being the outermost; list "0" is none."""

    list_id: str
    depth: int = 0


@dataclass
class Styles:
    """The heading level and the list of each paragraph style, by its id. Ids are in the author's language."""

    levels: dict[str, int] = field(default_factory=dict)
    lists: dict[str, ListPlace] = field(default_factory=dict)
    _based_on: dict[str, str] = field(default_factory=dict)
    _style: str = ""

    def start(self, tag: str, attributes: Attributes) -> None:
        """Take a start tag of the part that defines styles."""
        value = attributes.get("w:val", "")
        if tag == "w:style":
            self._style = attributes.get("w:styleId", "")
        elif tag == "w:name" and (level := _named_level(value.lower())):
            self.levels[self._style] = level
        elif tag == "w:basedOn":
            self._based_on[self._style] = value
        elif tag == "w:outlineLvl" and (level := whole_number(value)) is not None and level < _DEPTH:
            self.levels.setdefault(self._style, level + 2)
        elif tag == "w:numId":
            self.lists[self._style] = ListPlace(value)

    def level(self, style: str) -> int | None:
        """Return the style's heading level, which may be that of a style that it is based on."""
        for _ in range(_MAX_BASED_ON):
            if style in self.levels or style not in self._based_on:
                break
            style = self._based_on[style]
        return self.levels.get(style)


def _named_level(name: str) -> int | None:
    """Return the level of Word's own styles, whose names are English in every language; the title's is the highest."""
    kind, _, number = name.partition(" ")
    if kind == "heading" and (level := whole_number(number)) and level <= _DEPTH:
        return level + 1
    return 1 if name == "title" else None


@dataclass
class _Level:
    """How one depth of a list is numbered; `text` has %1 to %9 for the numbers of the depths."""

    form: str = "decimal"
    text: str = ""
    first: int = 1


class Lists:
    """The lists' definitions and, while the text is read, their counters."""

    def __init__(self) -> None:
        self._levels: dict[str, dict[int, _Level]] = {}
        self._definition_of: dict[str, str] = {}
        self._counters: dict[str, dict[int, int]] = {}
        self._definition = self._list = ""
        self._level = _Level()

    def start(self, tag: str, attributes: Attributes) -> None:
        """Take a start tag of the part that defines lists."""
        value = attributes.get("w:val", "")
        if tag == "w:abstractNum":
            self._definition = attributes.get("w:abstractNumId", "")
        elif tag == "w:lvl" and (depth := whole_number(attributes.get("w:ilvl", ""))) is not None:
            self._level = self._levels.setdefault(self._definition, {}).setdefault(depth, _Level())
        elif tag == "w:numFmt":
            self._level.form = value
        elif tag == "w:lvlText":
            self._level.text = value
        elif tag == "w:start" and (first := whole_number(value)) is not None:
            self._level.first = first
        elif tag == "w:num":
            self._list, self._definition = attributes.get("w:numId", ""), ""
        elif tag == "w:abstractNumId":
            self._definition_of[self._list] = value

    def marker(self, place: ListPlace) -> str:
        """Return what stands before the next item: "2.", "b)", "2.1", or a dash; nested items are indented."""
        definition = self._definition_of.get(place.list_id, "")
        levels = self._levels.get(definition, {})
        level = levels.get(place.depth)
        indent = "  " * place.depth
        if level is None or level.form in ("bullet", "none"):
            return f"{indent}-"
        counters = self._counters.setdefault(definition, {})
        counters[place.depth] = counters.get(place.depth, level.first - 1) + 1
        for deeper in [depth for depth in counters if depth > place.depth]:
            del counters[deeper]
        text = level.text or f"%{place.depth + 1}."
        for depth in range(place.depth + 1):
            other = levels.get(depth, level)
            text = text.replace(f"%{depth + 1}", _numeral(counters.get(depth, other.first), other.form))
        return indent + text


class Notes:
    """The numbers of foot- and endnotes, which they get in the order in which the text refers to them."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {"w:footnote": {}, "w:endnote": {}}
        self._open = ""

    def mark(self, tag: str, attributes: Attributes) -> str:
        """Take a start tag and return what is shown in its place: a note's number where it is referred to or begins."""
        kind, reference, rest = tag.partition("Ref")
        numbers, note = self._numbers.get(kind), attributes.get("w:id", "")
        if numbers is None:
            return ""
        if not reference:  # the note itself
            self._open = note
            return ""
        if rest:
            number = numbers.setdefault(note, len(numbers) + 1)
            return "" if attributes.get("w:customMarkFollows", "0") not in OFF else _bracketed(number, kind)
        return f"{_bracketed(numbers[self._open], kind)} " if self._open in numbers else ""


def _bracketed(number: int, kind: str) -> str:
    return f"[{_numeral(number, 'decimal' if kind == 'w:footnote' else 'lowerRoman')}]"


def _numeral(number: int, form: str) -> str:
    spell: Callable[[int], str] = {"Letter": _letters, "Roman": _roman}.get(form[5:], str)
    return spell(number).upper() if form.startswith("upper") else spell(number)


def _letters(number: int) -> str:
    """Return a to z, then aa to zz as Word counts."""
    times, letter = divmod(max(1, number) - 1, _LETTERS)
    return chr(ord("a") + letter) * min(times + 1, _DEPTH)


def _roman(number: int) -> str:
    if not 0 < number < _LARGEST_ROMAN:
        return str(number)
    numeral = ""
    for value, sign in _ROMAN:
        times, number = divmod(number, value)
        numeral += sign * times
    return numeral
