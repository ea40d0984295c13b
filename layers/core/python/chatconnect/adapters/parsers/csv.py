"""CSV: every row with the names of its columns."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from itertools import chain, islice

from chatconnect.adapters.parsers.detect import Kind
from chatconnect.adapters.parsers.encoding import decoded
from chatconnect.adapters.parsers.reading import OnRead, Reading, unread
from chatconnect.adapters.parsers.sections import SectionWriter
from chatconnect.adapters.parsers.tables import grouped, looks_like_header, row_line
from chatconnect.domain.chunking import ParsedDocument
from chatconnect.domain.errors import DocumentRejected

MAX_ROWS = 500_000
_MAX_CELL = 1_000_000
_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 50
_SAMPLE = 64 * 1024
# Rows above the names of the columns, such as the table's title, and how many rows they are sought in.
_MAX_TITLES, _LOOKED_AT = 8, 20
_SINGLE_QUOTED = re.compile(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", re.MULTILINE)


def parse_csv(data: bytes, on_read: OnRead = unread) -> ParsedDocument:
    """Return groups of rows. The first row names the columns, unless it holds data itself; titles may stand above.

    Raises DocumentRejected: empty, too_complex (rows, cell or text too large).
    """
    writer = SectionWriter()
    for group in grouped(_lines(decoded(data), on_read)):
        writer.add(group, rows=True)
    return writer.document(Kind.CSV)


def _lines(text: str, on_read: OnRead) -> Iterator[str]:
    """Yield each row as one line; a file with a header alone yields the names."""
    rows = _rows(text, on_read)
    begin = list(islice(rows, _LOOKED_AT))
    titles = _titles(begin)
    yield from (row_line((), list(filter(None, row))) for row in begin[:titles] if row)
    begin = list(filter(None, begin[titles:]))
    rest = chain(begin, filter(None, rows))
    names = next(rest, [])
    if not looks_like_header(names, begin[1:]):
        rest, names = chain([names], rest), []
    number = 0
    for number, row in enumerate(rest, start=1):
        if number > MAX_ROWS:
            raise DocumentRejected("too_complex", f"The table has more than {MAX_ROWS:,} rows. Please split it.")
        yield row_line(names, row)
    if not number:
        yield "; ".join(name for name in names if name)


def _titles(rows: list[list[str]]) -> int:
    """Return how many rows at the top tell of the table: they hold one cell alone, above a row that fills at least two.

    Or a blank row divides them from names of columns that are more than they have cells.
    """
    filled = [sum(map(bool, row)) for row in rows]
    first = next((index for index, count in enumerate(filled) if count > 1), 0)
    for index in range(1, len(filled)):
        is_wider = not filled[index - 1] and filled[index] > max(filled[:index])
        if is_wider and looks_like_header(rows[index]):
            first = max(first, index)
    above = sum(map(bool, filled[:first]))
    return first if above <= _MAX_TITLES and any(filled[first + 1 :]) else 0


def _rows(text: str, on_read: OnRead) -> Iterator[list[str]]:
    """Yield the rows, blank ones as empty ones, with the white space inside cells reduced to single blanks."""
    csv.field_size_limit(_MAX_CELL)
    quote = _quote(text[:_SAMPLE])
    delimiter = _delimiter(text, quote)
    lines, reading = StringIO(text, newline=""), Reading(on_read, len(text))
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=True)
    try:
        for cells in reader:
            reading.reached(lines.tell())
            row = [" ".join(cell.split()) for cell in cells]
            if not (reader.line_num == 1 and row and row[0].startswith("sep=")):
                yield row if any(row) else []
    except csv.Error as error:
        raise DocumentRejected(
            "too_complex", "A cell of the table is too long; perhaps a closing quotation mark is missing."
        ) from error


def _quote(sample: str) -> str:
    """Return the quotation mark: the single one only where cells are set in it and none in the usual one."""
    return "'" if '"' not in sample and len(_SINGLE_QUOTED.findall(sample)) > sample.count("\n") else '"'


def _delimiter(text: str, quote: str) -> str:
    """Return the delimiter that gives the most rows of one same number of columns above one."""
    sample = text[:_SAMPLE]
    if sample.startswith(tuple(f"sep={delimiter}" for delimiter in _DELIMITERS)):  # how Excel names its delimiter
        return sample[4]
    return max(_DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter, quote))


def _evenness(sample: str, delimiter: str, quote: str) -> tuple[float, bool, int]:
    """Return the share of rows that have the most frequent width, halved where the first has but one cell.

    Among equals any other delimiter goes before the comma, which stands in numbers, and then wider rows first.
    """
    reader = csv.reader(StringIO(sample, newline=""), delimiter=delimiter, quotechar=quote)
    found = [len(row) for row in islice(reader, _SAMPLE_ROWS) if row]
    widths = Counter(found)
    width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
    if width == 1:
        return 0, False, 0
    return count / len(found) / (2 if found[0] == 1 else 1), delimiter != ",", width
