"""From a file of any format to its chunks: what every document and every chunk of it promise."""

import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatconnect.adapters.tokens import BpeTokenCounter
from chatconnect.domain.chunking import ChunkText, ParsedDocument, split
from tests.unit.parsers.generated import FORMATS, Part, parts, words_for

count_tokens = BpeTokenCounter()
ROW_NAME = re.compile(r"Name [ABC]: ")


def squeezed(text: str) -> str:
    return "".join(text.split())


def pieces_of(written: list[Part], format_: str) -> list[str]:
    """What has to be found in the document, whatever the format."""
    if format_ == "csv":
        return [cell for part in written if part.table for row in part.table.rows for cell in row]
    return [piece for part in written for piece in (part.title, *part.paragraphs)]


@pytest.mark.parametrize("format_", FORMATS)
@given(data=st.data(), size=st.sampled_from([50, 120, 500]), share=st.sampled_from([0, 10, 3]))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_chunks_of_a_document_hold_all_of_it_in_order(format_: str, data: st.DataObject, size: int, share: int) -> None:
    written = data.draw(parts(words_for(format_)))
    overlap = size // share if share else 0

    document = FORMATS[format_](written)
    chunks = list(split(document, count_tokens, size=size, overlap=overlap))

    assert_nothing_is_lost(document, chunks, pieces_of(written, format_))
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    assert all(document.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert all(chunk.tokens == count_tokens(chunk.text) <= size for chunk in chunks)
    for before, after in pairwise(chunks):
        assert before.start < after.start
        assert before.end < after.end
        assert count_tokens(after.text[: max(0, before.end - after.start)].strip()) <= overlap
    assert chunks == list(split(FORMATS[format_](written), count_tokens, size=size, overlap=overlap))


def assert_nothing_is_lost(document: ParsedDocument, chunks: list[ChunkText], pieces: list[str]) -> None:
    text = squeezed(document.text)
    assert all(squeezed(piece) in text for piece in pieces)
    covered = 0
    for chunk in chunks:
        assert not document.text[covered : chunk.start].strip()
        covered = max(covered, chunk.end)
    assert not document.text[covered:].strip()


@pytest.mark.parametrize("format_", ["markdown", "html", "docx", "csv"])
@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_row_of_a_table_is_whole_and_has_its_names_in_its_chunk(format_: str, data: st.DataObject) -> None:
    written = [part for part in data.draw(parts(words_for(format_))) if part.table]
    rows = [row for part in written if part.table for row in part.table.rows]
    expected = ["; ".join(f"Name {name}: {cell}" for name, cell in zip("ABC", row, strict=True)) for row in rows]
    if not rows:
        return

    document = FORMATS[format_](written)
    chunks = list(split(document, count_tokens, size=120, overlap=20))

    lines = [line for chunk in chunks for line in chunk.text.split("\n") if ROW_NAME.match(line)]
    assert lines == expected


@pytest.mark.parametrize("format_", ["markdown", "html", "docx"])
@given(written=parts())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_chunk_stands_under_the_headings_that_its_beginning_stands_under(format_: str, written: list[Part]) -> None:
    path: list[tuple[int, str]] = []
    paths = []
    for part in written:
        path = [(level, title) for level, title in path if level < part.level] + [(part.level, part.title)]
        paths.append(tuple(title for _, title in path))

    chunks = list(split(FORMATS[format_](written), count_tokens, size=50, overlap=0))

    seen = [chunk.headings for chunk in chunks]
    assert list(dict.fromkeys(seen)) == [path for path in dict.fromkeys(paths) if path in seen]
    assert seen[0] == paths[0]


@given(written=parts(words_for("pdf")))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_chunk_of_a_pdf_stays_on_its_page(written: list[Part]) -> None:
    document = FORMATS["pdf"](written)

    for chunk in split(document, count_tokens, size=120, overlap=20):
        [home] = [
            section for section in document.sections if section.start <= chunk.start < section.start + len(section.text)
        ]
        same_page = [section for section in document.sections if section.page == chunk.page]
        assert chunk.page == home.page
        assert chunk.end <= max(section.start + len(section.text) for section in same_page)
        title = squeezed(written[(home.page or 0) - 1].title)
        assert any(title in squeezed(section.text) for section in same_page)
