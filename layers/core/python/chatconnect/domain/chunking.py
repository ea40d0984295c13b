"""From extracted text to chunks: about 500 tokens each, 50 of overlap, on section and sentence borders."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count

from chatconnect.domain.errors import Invalid
from chatconnect.domain.sentences import CountTokens, Unit, trimmed, units

__all__ = ["DEFAULT_CHUNKS", "ChunkSettings", "ChunkText", "CountTokens", "ParsedDocument", "Section", "split"]

CHUNK_SIZES = (50, 2_000)
# A section of more characters per token of `size` than this is not counted as a whole first: it is long.
_LONG = 16


@dataclass(frozen=True, slots=True)
class Section:
    """A run of text that belongs together: what stands under one heading on one page, a table, a group of rows.

    `start` is the offset of `text` in the document's whole extracted text, in characters. `page` counts from 1.
    `rows` says that every line is a table's row, which stays whole where a chunk has room for it.
    """

    text: str
    start: int
    page: int | None = None
    headings: tuple[str, ...] = ()
    rows: bool = False


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """What a parser found. `text` is the whole extracted text; every section is a slice of it, in order.

    Neither is in the representation, which ends up in logs and may be megabytes long.
    """

    text: str = field(repr=False)
    sections: tuple[Section, ...] = field(repr=False)
    media_type: str
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class ChunkSettings:
    """How long chunks are and how much of one the next repeats, in tokens. Raises Invalid for what makes no sense."""

    size: int = 500
    overlap: int = 50

    def __post_init__(self) -> None:
        smallest, largest = CHUNK_SIZES
        if not smallest <= self.size <= largest:
            raise Invalid(f"a chunk has {smallest} to {largest} tokens", details={"field": "size"})
        if not 0 <= self.overlap <= self.size // 2:
            raise Invalid("chunks overlap by at most half their size", details={"field": "overlap"})


DEFAULT_CHUNKS = ChunkSettings()


@dataclass(frozen=True, slots=True)
class ChunkText:
    """One chunk: `text == document.text[start:end]`. `position` counts from 0 within the document."""

    position: int
    text: str
    start: int
    end: int
    tokens: int
    page: int | None = None
    headings: tuple[str, ...] = ()


def split(
    document: ParsedDocument, count_tokens: CountTokens, *, size: int = 500, overlap: int = 50
) -> Iterator[ChunkText]:
    """Yield the document's chunks in order, each of at most `size` tokens as `count_tokens` counts its text.

    Short sections of one page share a chunk as long as they fit whole; the chunk has the headings of the
    first. A longer section is filled into chunks of its own, sentence by sentence, each beginning with the
    last sentences of the one before, up to `overlap` tokens; a table is filled in row by row and repeats none.
    Only a character of more than `size` tokens makes a larger chunk. Raises ValueError unless 0 <= overlap < size.
    """
    if not 0 <= overlap < size:
        raise ValueError("overlap must be at least 0 and below size")
    positions = count()
    for run, pieces, shared in _runs(document, count_tokens, size, overlap):
        window = _Window(document.text, count_tokens, size, shared)
        for start, end, tokens in window.fill(pieces):
            section = run[bisect_right(run, start, key=_start) - 1]
            yield ChunkText(
                next(positions), document.text[start:end], start, end, tokens, section.page, section.headings
            )


def _runs(
    document: ParsedDocument, count_tokens: CountTokens, size: int, overlap: int
) -> Iterator[tuple[list[Section], Iterable[Unit], int]]:
    """Yield what may share chunks: the sections, their units, and the overlap to keep between chunks.

    A run is either neighbouring short sections of one page, each a unit, or one long section in sentences.
    """
    short: list[Section] = []
    wholes: list[Unit] = []
    for section in document.sections:
        if not section.text.strip():
            continue
        whole = _whole(document.text, section, count_tokens, size)
        if short and (whole is None or section.page != short[0].page):
            yield short, wholes, 0
            short, wholes = [], []
        if whole is None:
            yield [section], _units(document.text, section, count_tokens, size, overlap), 0 if section.rows else overlap
        else:
            short.append(section)
            wholes.append(whole)
    if short:
        yield short, wholes, 0


def _units(text: str, section: Section, count_tokens: CountTokens, size: int, overlap: int) -> Iterator[Unit]:
    end, piece = section.start + len(section.text), max(1, min(size, overlap or size))
    return units(text, section.start, end, count_tokens, size=size, piece=piece, rows=section.rows)


def _whole(text: str, section: Section, count_tokens: CountTokens, size: int) -> Unit | None:
    """Return the section as one unit, or None when it is too long for one chunk."""
    if len(section.text) > _LONG * size:
        return None
    start, end = trimmed(text, section.start, section.start + len(section.text))
    tokens = count_tokens(text[start:end])
    return Unit(start, end, tokens + 1) if tokens <= size else None


def _start(section: Section) -> int:
    return section.start


class _Window:
    """Fills chunks with units: estimates while it adds, counts exactly before it lets a chunk go."""

    def __init__(self, text: str, count_tokens: CountTokens, size: int, overlap: int) -> None:
        self._text, self._count_tokens, self._size, self._overlap = text, count_tokens, size, overlap
        self._units: list[Unit] = []
        self._repeated = 0  # how many units at the front were in the chunk before
        self._estimate = 0

    def fill(self, pieces: Iterable[Unit]) -> Iterator[tuple[int, int, int]]:
        """Yield start, end and exact token count of each chunk; every unit is in at least one."""
        for unit in pieces:
            while self._has_fresh() and self._estimate + unit.tokens > self._size:
                yield self._cut()
            while self._units and self._estimate + unit.tokens > self._size:
                self._keep(self._units[1:], self._repeated - 1)
            self._units.append(unit)
            self._estimate += unit.tokens
        while self._has_fresh():
            yield self._cut()

    def _has_fresh(self) -> bool:
        return len(self._units) > self._repeated

    def _cut(self) -> tuple[int, int, int]:
        """Take as many units as fit, at least one fresh one, and keep the overlap and the rest."""
        first, last = 0, len(self._units)
        tokens = self._tokens(self._units)
        while tokens > self._size and last - first > 1:
            if last > self._repeated + 1:
                last = max(self._repeated + 1, min(last - 1, last * self._size // tokens))
            else:
                first = self._repeated
            tokens = self._tokens(self._units[first:last])
        taken, rest = self._units[first:last], self._units[last:]
        tail = self._tail(taken)
        self._keep(tail + rest, len(tail))
        return taken[0].start, taken[-1].end, tokens

    def _tail(self, taken: list[Unit]) -> list[Unit]:
        """Return the last units of a chunk, never all of them, that have at most `overlap` tokens together."""
        first, total = len(taken), 0
        while first > 1 and total + taken[first - 1].tokens <= self._overlap:
            first -= 1
            total += taken[first].tokens
        while first < len(taken) and self._tokens(taken[first:]) > self._overlap:
            first += 1
        return taken[first:]

    def _tokens(self, run: list[Unit]) -> int:
        return self._count_tokens(self._text[run[0].start : run[-1].end])

    def _keep(self, kept: list[Unit], repeated: int) -> None:
        self._units, self._repeated = kept, repeated
        self._estimate = sum(unit.tokens for unit in kept)
