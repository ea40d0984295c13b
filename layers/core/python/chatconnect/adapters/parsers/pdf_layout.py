"""Which lines of a PDF are running headers and footers, and which are headings."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from chatconnect.adapters.parsers.pdf_lines import Line, line_distance

Pages = Sequence[Sequence[Line]]

# A running line stands on so many pages, in a block of at most so many lines at the page's edge, with a gap of so many
# usual line distances between it and the text. A page that holds little else has none.
_MIN_PAGES = 3
_RUNNING_SHARE = 0.4
_MIN_CHAPTER_PAGES = 5
_MAX_RUNNING_LINES = 3
_RUNNING_GAP = 1.35
_MAX_RUNNING_SHARE = 0.5
_NUMBER = re.compile(r"\d{1,5}")

# A heading is so much larger than the text, or bold, and short; if much of the document looked like one, none is.
_HEADING_SCALE = 1.12
_MAX_HEADING = 200
_MAX_HEADING_LINES = 3
_MAX_HEADING_SHARE = 0.35
_MAX_LEVEL = 6
_NO_HEADING_END = ".,;:。、，；：।"


class Heading(NamedTuple):
    """A heading of a page: its lines are `first` to `end` (exclusive) of that page's; level 1 is the highest."""

    first: int
    end: int
    level: int
    title: str


class Bookmark(NamedTuple):
    """An entry of the document's outline; level 1 is the highest, `page` counts from 0."""

    page: int
    level: int
    title: str


def without_running_lines(pages: Pages, bookmarks: Sequence[Bookmark]) -> list[list[Line]]:
    """Return the pages without what repeats at the top or bottom of many of them, such as titles and page numbers.

    What the outline names is no such line, and neither is what is set like a heading.
    """
    usual, named = _usual_size(pages), _by_title(bookmarks)
    blocks = [
        [line for line in _edge_blocks(page) if _compared(line.text) not in named.get(number, {})]
        for number, page in enumerate(pages)
    ]
    printed = sum(bool(page) for page in pages)
    seen: dict[str, list[int]] = defaultdict(list)
    for number, block in enumerate(blocks):
        for key in {key for line in block for key in _running_keys(line, number, usual)}:
            seen[key].append(number)
    running = {key for key, places in seen.items() if _runs(places, printed)}
    if not running:
        return [list(page) for page in pages]
    return [
        [line for line in page if line not in block or running.isdisjoint(_running_keys(line, number, usual))]
        for number, (page, block) in enumerate(zip(pages, blocks, strict=True))
    ]


def _runs(places: Sequence[int], printed: int) -> bool:
    """Say whether a line that stands on these pages runs through the document, or through a chapter of it."""
    if len(places) >= _MIN_CHAPTER_PAGES:
        printed = min(printed, places[-1] - places[0] + 1)
    return len(places) >= max(_MIN_PAGES, _RUNNING_SHARE * printed)


def _characters(pages: Pages) -> int:
    return sum(len(line.text) for page in pages for line in page)


def _edge_blocks(page: Sequence[Line]) -> list[Line]:
    """Return the few lines at the top and at the bottom that a gap divides from the rest."""
    by_height = sorted(page, key=lambda line: -line.bottom)
    usual = line_distance(by_height)
    found: list[Line] = []
    for lines in (by_height, by_height[::-1]):
        for count, (line, following) in enumerate(pairwise(lines[: _MAX_RUNNING_LINES + 1]), start=1):
            if abs(line.bottom - following.bottom) > _RUNNING_GAP * usual:
                found += lines[:count]
                break
    return found if found and _characters([found]) < _MAX_RUNNING_SHARE * _characters([page]) else []


def _running_keys(line: Line, page: int, usual: float) -> Iterator[str]:
    """Yield what the line is recognised by on other pages: its words, or its words around a number that counts."""
    if line.size > _HEADING_SCALE * usual:
        return
    text = line.text.casefold()
    yield text
    if not line.bold:
        for match in _NUMBER.finditer(text[:_MAX_HEADING]):
            yield f"{text[: match.start()]}\0{int(match[0]) - page}{text[match.end() :]}"


def find_headings(pages: Pages, bookmarks: Sequence[Bookmark]) -> list[list[Heading]]:
    """Return each page's headings in order: what the outline names and what is set larger or bolder than the text."""
    usual = _usual_size(pages)
    blocks = [list(_heading_blocks(page, usual)) for page in pages]
    blocks = _plausible(pages, blocks)
    named = _by_title(bookmarks)
    deepest = max((mark.level for mark in bookmarks), default=0) if named else 0
    ranks = _ranks(pages, blocks, usual)
    found = []
    for number, (page, spans) in enumerate(zip(pages, blocks, strict=True)):
        marked = _marked(page, spans, named.get(number, {}))
        headings = {
            span[0]: Heading(*span, min(_MAX_LEVEL, deepest + ranks[_look(page[span[0]], usual)]), _title(page, span))
            for span in spans
        }
        headings |= {heading.first: heading for heading in marked}
        found.append([headings[first] for first in sorted(headings)])
    return found


def _usual_size(pages: Pages) -> float:
    """Return the font size of most characters."""
    sizes: dict[float, int] = defaultdict(int)
    for page in pages:
        for line in page:
            sizes[line.size] += len(line.text)
    return max(sizes, key=sizes.__getitem__, default=0.0)


def _look(line: Line, usual: float) -> float:
    """Return what ranks a heading: its size; that of bold text is the usual one."""
    return max(usual, line.size)


def _heading_blocks(page: Sequence[Line], usual: float) -> Iterator[tuple[int, int]]:
    """Yield first and end of runs of lines that look like one heading."""
    first = 0
    while first < len(page):
        end = first + 1
        if not _stands_out(page[first], usual):
            first = end
            continue
        while end < len(page) and _continues(page[end - 1], page[end]):
            end += 1
        if end - first <= _MAX_HEADING_LINES and _is_title(page, first, end, usual):
            yield first, end
        first = end


def _stands_out(line: Line, usual: float) -> bool:
    return line.size > _HEADING_SCALE * usual or (line.bold and line.size > 0.95 * usual)


def _continues(line: Line, following: Line) -> bool:
    near = 0 < line.bottom - following.bottom < 1.8 * line.size
    return near and abs(line.size - following.size) < 0.5 and line.bold == following.bold and _in_line(line, following)


def _in_line(line: Line, following: Line) -> bool:
    """Say whether two lines may be of one heading: a title in the middle of a page is not of that on the left below."""
    if following.left >= line.left - line.size:
        return True
    shifts = (following.right - line.right, (following.left + following.right - line.left - line.right) / 2)
    return any(abs(shift) < line.size for shift in shifts)


def _is_title(page: Sequence[Line], first: int, end: int, usual: float) -> bool:
    text = page[end - 1].text
    if text[-1] in _NO_HEADING_END or not any(map(str.isalpha, text)):
        return False
    if sum(len(line.text) for line in page[first:end]) > _MAX_HEADING:
        return False
    if page[first].size > _HEADING_SCALE * usual:
        return True
    # Bold text of the usual size has to stand alone: a word of it in the same row is no heading, nor is a table's head.
    neighbours = [*page[max(0, first - 1) : first], *page[end : end + 1]]
    return end < len(page) and all(abs(line.bottom - page[first].bottom) > 0.5 * usual for line in neighbours)


def _plausible(pages: Pages, blocks: list[list[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
    total = _characters(pages)
    marked = sum(
        len(line.text)
        for page, spans in zip(pages, blocks, strict=True)
        for span in spans
        for line in page[slice(*span)]
    )
    return blocks if marked <= _MAX_HEADING_SHARE * total else [[] for _ in blocks]


def _ranks(pages: Pages, blocks: list[list[tuple[int, int]]], usual: float) -> dict[float, int]:
    """Return the level of each look, 1 for the largest."""
    looks = {_look(page[span[0]], usual) for page, spans in zip(pages, blocks, strict=True) for span in spans}
    return {look: rank for rank, look in enumerate(sorted(looks, reverse=True), start=1)}


def _title(page: Sequence[Line], span: tuple[int, int]) -> str:
    return " ".join(line.text for line in page[slice(*span)])


def _compared(title: str) -> str:
    return "".join(filter(str.isalnum, title.casefold()))


def _by_title(bookmarks: Iterable[Bookmark]) -> dict[int, dict[str, int]]:
    """Return, by page, the level of each title in the outline."""
    named: dict[int, dict[str, int]] = {}
    for mark in bookmarks:
        if title := _compared(mark.title):
            named.setdefault(mark.page, {}).setdefault(title, min(_MAX_LEVEL, mark.level))
    return named


def _marked(page: Sequence[Line], spans: list[tuple[int, int]], named: dict[str, int]) -> Iterator[Heading]:
    """Yield the headings that the outline names, be they set like the text or not."""
    if not named:
        return
    begun = {first for first, _ in spans}
    for span in [*spans, *((index, index + 1) for index in range(len(page)) if index not in begun)]:
        title = _title(page, span)
        level = named.get(_compared(title)) if len(title) <= _MAX_HEADING else None
        if level:
            yield Heading(*span, level, title)
