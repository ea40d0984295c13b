"""CSV: every row as "name: value; name: value", so that a row can be read without its header."""

import csv
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from itertools import islice

from chatconnect.adapters.parsers.detect import Kind
from chatconnect.adapters.parsers.sections import SectionWriter
from chatconnect.adapters.parsers.text import decoded
from chatconnect.domain.chunking import ParsedDocument
from chatconnect.domain.errors import DocumentRejected

MAX_ROWS = 500_000
_MAX_CELL = 1_000_000
_DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 50
_SAMPLE = 64 * 1024
# Rows are grouped into sections of about 100 tokens: few enough to be cheap, small enough to fill chunks well.
_GROUP_CHARACTERS = 400


def parse_csv(data: bytes) -> ParsedDocument:
    """Return groups of rows. The first row is the header; a missing cell is left out, an extra one is "column N".

    Raises DocumentRejected: empty, too_complex (rows, cell or text too large).
    """
    text = decoded(data)
    writer = SectionWriter()
    group: list[str] = []
    length = 0
    for row in _lines(text):
        if group and length + len(row) > _GROUP_CHARACTERS:
            writer.add("\n".join(group))
            group, length = [], 0
        group.append(row)
        length += len(row)
    writer.add("\n".join(group))
    return writer.document(Kind.CSV)


def _lines(text: str) -> Iterator[str]:
    """Yield each row as one line; a file with a header alone yields the names."""
    rows = _rows(text, _delimiter(text))
    names = next(rows, [])
    number = 0
    for number, row in enumerate(rows, start=1):
        if number > MAX_ROWS:
            raise DocumentRejected("too_complex", f"The table has more than {MAX_ROWS:,} rows. Please split it.")
        yield "; ".join(_named(names, row))
    if not number:
        yield "; ".join(name for name in names if name)


def _named(names: list[str], row: list[str]) -> Iterator[str]:
    for index, cell in enumerate(row):
        if cell:
            name = (names[index] if index < len(names) else "") or f"column {index + 1}"
            yield f"{name}: {cell}"


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the rows that are not blank, with the white space inside cells reduced to single blanks."""
    csv.field_size_limit(_MAX_CELL)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        for cells in reader:
            row = [" ".join(cell.split()) for cell in cells]
            if any(row) and not (reader.line_num == 1 and row[0].startswith("sep=")):
                yield row
    except csv.Error as error:
        raise DocumentRejected(
            "too_complex", "A cell of the table is too long; perhaps a closing quotation mark is missing."
        ) from error


def _delimiter(text: str) -> str:
    """Return the delimiter that gives the most rows of one same number of columns above one."""
    sample = text[:_SAMPLE]
    if sample.startswith(tuple(f"sep={delimiter}" for delimiter in _DELIMITERS)):  # how Excel names its delimiter
        return sample[4]
    return max(_DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def _evenness(sample: str, delimiter: str) -> float:
    """Return the share of rows that have the most frequent width, with wider rows first among equals."""
    rows = islice(csv.reader(StringIO(sample, newline=""), delimiter=delimiter), _SAMPLE_ROWS)
    widths = Counter(len(row) for row in rows if row)
    width, count = max(widths.items(), key=lambda item: (item[0] > 1, item[1]), default=(1, 0))
    return 0 if width == 1 else count / widths.total() + width / 1000
