"""What holds for the files of every format."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.adapters.parsers.csv import parse_csv
from chatconnect.adapters.parsers.detect import Kind
from chatconnect.adapters.parsers.html import parse_html
from chatconnect.adapters.parsers.markdown import parse_markdown
from chatconnect.adapters.parsers.text import parse_text
from chatconnect.domain.chunking import ParsedDocument
from chatconnect.domain.errors import DocumentRejected
from tests import files
from tests.unit.parsers.conftest import Read


async def test_control_characters_go_and_line_ends_become_newlines(read: Read) -> None:
    document = await read(b"one\x00\x07 line\r\nnext\rlast  \n\n\n\n\n" + b"and the rest of the text\t!" * 9, "a.txt")

    assert document.text.startswith("one line\nnext\nlast\n\nand the rest of the text\t!and")


@pytest.mark.parametrize(
    ("filename", "kind"),
    [("a.txt", Kind.TEXT), ("A.MD", Kind.MARKDOWN), ("a.csv", Kind.CSV), ("a.htm", Kind.HTML), ("noname", Kind.TEXT)],
)
async def test_the_name_tells_kinds_of_text_apart(read: Read, filename: str, kind: Kind) -> None:
    assert (await read(b"a,b\n1,2\n", filename)).media_type == kind


async def test_a_name_without_meaning_leaves_it_to_the_content(read: Read) -> None:
    assert (await read(files.make_pdf(["text"]), "upload.bin")).media_type == Kind.PDF
    assert (await read(files.make_docx(["text"]), "upload")).media_type == Kind.DOCX
    assert (await read(b"<!doctype html><p>text", "upload")).media_type == Kind.HTML


MARKED_UP = st.text(st.sampled_from('ab#=-<>/ph1dtrlui \n\r\t,;"&|`\x00\x0c\u2028é汉😀\ud800'), max_size=300)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
async def test_a_web_page_is_known_in_every_unicode_encoding(read: Read, codec: str) -> None:
    document = await read("<!doctype html><html><p>Größe</p></html>".encode(codec), "page.txt")

    assert (document.media_type, document.text) == (Kind.HTML, "Größe")


@pytest.mark.parametrize("parse", [parse_text, parse_markdown, parse_html, parse_csv])
@given(text=MARKED_UP | st.text(max_size=100))
def test_sections_are_slices_of_the_text_in_order(parse: Callable[[bytes], ParsedDocument], text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    try:
        document = parse(data)
    except DocumentRejected:  # nothing visible is left
        return

    position = 0
    for section in document.sections:
        assert document.text[section.start : section.start + len(section.text)] == section.text != ""
        assert section.start >= position
        position = section.start + len(section.text)
    assert position == len(document.text)
    assert not any(ord(character) < 32 and character not in "\n\t" for character in document.text)
