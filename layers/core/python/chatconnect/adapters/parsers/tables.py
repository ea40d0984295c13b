"""Tables as text: every row as "name: value; name: value", so that a row can be read without its header."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from chatconnect.domain.chunking import ParsedDocument, Section, split

# Rows are grouped into sections of about 100 tokens: few enough to be cheap, small enough to fill chunks well.
_GROUP_CHARACTERS = 400
# A longer row (in bytes, of which a token has about four) gets a line per cell, a longer cell several lines.
_LONG = 1_200
# Behind so many characters such a row says again what it is about, if it can do so in few.
_UNNAMED, _LONGEST_FIRST = 400, 80
_SEPARATOR = "; "
# What only data looks like: numbers with their units, dates and times, addresses of mail and web.
_DATA = re.compile(
    r"[^\w@]*\d[\d\s.,:/%+*()x-]*[^\w@]?(\s?[^\W\d_]{1,3}[²³]?)?$|\S+@\S+\.\S+$|https?://\S+$", re.IGNORECASE
)
_LONGEST_DATA = 100
# How a sentence ends, and how many words it has at least, or characters in a script without blanks.
_STOPS, _WIDE_STOPS = (".", "!", "…"), ("。", "！")
_SENTENCE_WORDS, _SENTENCE_CHARACTERS = 5, 12
_QUESTION_MARKS = ("?", "？", "؟")
_YEAR = re.compile(r"(19|20)\d\d$")
# A table with more columns than this has names for them; one of two may well be names and their values, side by side.
_TWO = 2

# Cells that span columns or rows are repeated no farther than this.
MAX_COLUMNS = 200

Row = Sequence[str]


def looks_like_header(row: Row, following: Sequence[Row] = ()) -> bool:
    """Say whether a first row may name the columns: nothing in it is data, but for years beside words.

    Neither is a sentence, nor a question with other questions below it.
    """
    if any(map(_is_sentence, row)) or _are_questions([row, *following]):
        return False
    cells = [cell for cell in row if cell]
    data = [cell for cell in cells if _is_data(cell)]
    return len(data) < len(cells) and all(map(_YEAR.match, data))


def _is_sentence(cell: str) -> bool:
    if cell.endswith(_WIDE_STOPS):
        return len(cell) > _SENTENCE_CHARACTERS
    return cell.endswith(_STOPS) and len(cell.split(maxsplit=_SENTENCE_WORDS - 1)) == _SENTENCE_WORDS


def _are_questions(rows: Sequence[Row]) -> bool:
    """Say whether some column holds questions alone, of which there are several."""
    columns = zip(*rows, strict=False) if len(rows) > 1 else ()
    return any(all(cell.endswith(_QUESTION_MARKS) for cell in column) for column in columns)


def has_header(rows: Sequence[Row]) -> bool:
    """Say whether the first row of a table in a text, where nothing says so, names the columns.

    Of two columns of words alone the left one may as well name what stands in the right one.
    """
    if len(rows) < 2 or not all(rows[0]) or not looks_like_header(rows[0]):
        return False
    columns = list(zip_longest(*rows[1:], fillvalue=""))
    return len(columns) > _TWO or any(all(map(_is_data, filter(None, column))) and any(column) for column in columns)


def _is_data(cell: str) -> bool:
    return bool(_DATA.match(cell[:_LONGEST_DATA]))


def row_line(names: Row, row: Row) -> str:
    """Return a row with the names of its columns; without names its cells, with " | " between them.

    A missing cell is left out, an extra one is "column N". A row or cell too long for a chunk becomes several lines, of
    which every so many begin with the row's first cell, so that each chunk says what it is about.
    """
    if not names:
        return " | ".join(row).strip(" |")
    parts = list(_named(names, row))
    line = _SEPARATOR.join(f"{name}: {cell}" for name, cell in parts)
    if len(line) * 4 <= _LONG or len(line.encode("utf-8", "replace")) <= _LONG:
        return line
    return "\n".join(_lines(f"{name}: {piece}" for name, cell in parts for piece in _pieces(cell)))


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the pieces of a long row, the first again and again before others if it is short."""
    first, length = "", 0
    for piece in pieces:
        line = f"{first}{_SEPARATOR}{piece}" if length > _UNNAMED and len(first) <= _LONGEST_FIRST else piece
        length = length + len(piece) if line is piece else 0
        first = first or piece
        yield line


def grouped(lines: Iterable[str]) -> Iterator[str]:
    """Yield rows in groups, one a line, each group short enough to share a chunk with others."""
    group: list[str] = []
    length = 0
    for line in lines:
        if not line:
            continue
        if group and length + len(line) > _GROUP_CHARACTERS:
            yield "\n".join(group)
            group, length = [], 0
        group.append(line)
        length += len(line)
    if group:
        yield "\n".join(group)


def _named(names: Row, row: Row) -> Iterator[tuple[str, str]]:
    for index, cell in enumerate(row):
        if cell:
            yield (names[index] if index < len(names) else "") or f"column {index + 1}", cell


def _pieces(cell: str) -> Iterator[str]:
    """Yield the cell in pieces that end with sentences where they can."""
    if len(cell) * 4 <= _LONG:
        yield cell
        return
    document = ParsedDocument(cell, (Section(cell, 0),), "text/plain")
    yield from (piece.text for piece in split(document, _bytes, size=_LONG - _LONG // 4, overlap=0))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def joined_names(rows: Sequence[Row]) -> list[str]:
    """Return the names of columns that several rows give, a name that stands in several of them once."""
    return [" ".join(dict.fromkeys(filter(None, column))) for column in zip_longest(*rows, fillvalue="")]


class Grid:
    """A table while it is read, whose cells may span columns and rows; a cell over rows stands in each of them."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []
        self._carried: dict[int, tuple[int, str]] = {}  # by column: for how many more rows, and what

    def start_row(self) -> None:
        """Begin the next row."""
        self.rows.append([])

    def add(self, text: str, *, columns: int = 1, rows: int = 1, repeated: bool = False) -> None:
        """Put the next cell of the row, which spans that many columns and rows; `repeated` in each of the columns."""
        if not self.rows:
            self.start_row()
        row = self.rows[-1]
        while len(row) < MAX_COLUMNS and len(row) in self._carried:
            left, above = self._carried.pop(len(row))
            if left > 1:
                self._carried[len(row)] = (left - 1, above)
            row.append(above)
        if rows > 1 and len(row) < MAX_COLUMNS:
            self._carried[len(row)] = (rows - 1, text)
        row += [text, *[text if repeated else ""] * (min(columns, MAX_COLUMNS - len(row)) - 1)]
