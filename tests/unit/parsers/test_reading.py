"""How much has been read is told in small steps, so that it moves however slowly a large file is read."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from chatconnect.adapters.parsers.csv import parse_csv
from chatconnect.adapters.parsers.docx import parse_docx
from chatconnect.adapters.parsers.html import parse_html
from chatconnect.adapters.parsers.markdown import parse_markdown
from chatconnect.adapters.parsers.reading import OnRead
from tests import files

ROWS = 30_000


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (parse_csv, b"Part,Price\n" + b"wheel,49\n" * ROWS),
        (parse_docx, files.make_docx([f"Paragraph {number} of a long file." for number in range(ROWS)])),
        (parse_docx, files.make_docx(files.table([["wheel", str(number)] for number in range(ROWS)]))),
        (parse_html, b"<html>" + b"<p>A paragraph of a long file." * ROWS),
        (parse_html, b"<html>" + b"<b>a</b> " * ROWS),
        (parse_html, b"<html><table>" + b"<tr><td>wheel<td>49" * ROWS),
        (parse_markdown, b"A paragraph of a long file.\n\n" * ROWS),
        (parse_markdown, b"|Part|Price|\n|-|-|\n" + b"|wheel|49|\n" * ROWS),
    ],
    ids=["csv", "docx", "docx table", "html", "html in one line", "html table", "markdown", "markdown table"],
)
def test_no_step_is_large(parse: Callable[[bytes, OnRead], object], data: bytes) -> None:
    told: list[tuple[int, int]] = []

    parse(data, lambda done, total: told.append((done, total)))

    total = told[0][1]
    places = [done for done, _ in told]
    assert {each for _, each in told} == {total}
    assert (places[0], places) == (0, sorted(places))
    assert all(later - earlier <= 0.03 * total for earlier, later in pairwise([*places, total]))
