"""From extracted text to chunks: about 500 tokens each, 50 of overlap, on section and sentence borders."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from chatconnect.domain.errors import Invalid
from chatconnect.domain.filling import Filler
from chatconnect.domain.sentences import CountTokens, Sentences, Span, Units, Wholes, trimmed

__all__ = ["DEFAULT_CHUNKS", "ChunkSettings", "ChunkText", "CountTokens", "ParsedDocument", "Section", "split"]

CHUNK_SIZES = (100, 2_000)
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
            raise Invalid(f"a chunk has {smallest} to {largest} tokens", details={"field": "tokens"})
        if not 0 <= 2 * self.overlap < self.size:
            raise Invalid("chunks overlap by less than half their size", details={"field": "overlap"})


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
    filler = Filler(document.text, count_tokens, size)
    for run, units, repeated in _runs(document, count_tokens, size, overlap):
        for start, end, tokens in filler.chunks(units, repeated):
            section = run[bisect_right(run, start, key=_start) - 1]
            yield ChunkText(
                next(positions), document.text[start:end], start, end, tokens, section.page, section.headings
            )


def _runs(
    document: ParsedDocument, count_tokens: CountTokens, size: int, overlap: int
) -> Iterator[tuple[list[Section], Units, int]]:
    """Yield what may share chunks: the sections, their units, and the overlap to keep between chunks.

    A run is either neighbouring short sections of one page, each a unit, or one long section in sentences.
    """
    short: list[Section] = []
    wholes: list[Span] = []
    for section in document.sections:
        if not section.text.strip():
            continue
        whole = _whole(document.text, section, count_tokens, size)
        if short and (whole is None or section.page != short[0].page):
            yield short, Wholes(wholes), 0
            short, wholes = [], []
        if whole is None:
            sentences = _sentences(document.text, section, count_tokens, size, overlap)
            yield [section], sentences, 0 if section.rows else overlap
        else:
            short.append(section)
            wholes.append(whole)
    if short:
        yield short, Wholes(wholes), 0


def _sentences(text: str, section: Section, count_tokens: CountTokens, size: int, overlap: int) -> Sentences:
    end, piece = section.start + len(section.text), max(1, min(size, overlap or size))
    return Sentences(text, section.start, end, count_tokens, piece=piece, rows=section.rows)


def _whole(text: str, section: Section, count_tokens: CountTokens, size: int) -> Span | None:
    """Return where the section's text is, or None when it is too long for one chunk."""
    if len(section.text) > _LONG * size:
        return None
    start, end = trimmed(text, section.start, section.start + len(section.text))
    return (start, end) if count_tokens(text[start:end]) <= size else None


def _start(section: Section) -> int:
    return section.start
