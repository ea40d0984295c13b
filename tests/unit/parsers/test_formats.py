"""What each format's good files become."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.adapters.parsers.csv import parse_csv
from chatconnect.adapters.parsers.detect import Kind
from chatconnect.adapters.parsers.html import parse_html
from chatconnect.adapters.parsers.text import parse_markdown, parse_text
from chatconnect.domain.chunking import ParsedDocument
from chatconnect.domain.errors import DocumentRejected
from tests import files
from tests.unit.parsers.conftest import Read


def outline(document: ParsedDocument) -> list[tuple[tuple[str, ...], str]]:
    return [(section.headings, section.text) for section in document.sections]


async def test_a_pdf_has_a_section_per_page(read: Read) -> None:
    document = await read(files.make_pdf(["Opening hours\nNine to five (daily)", "", "Café prices"]), "guide.pdf")

    assert [(section.page, section.text) for section in document.sections] == [
        (1, "Opening hours\nNine to five (daily)"),
        (3, "Café prices"),
    ]
    assert (document.media_type, document.pages) == (Kind.PDF, 3)


async def test_a_pdf_that_anyone_may_open_is_read_although_it_is_encrypted(read: Read) -> None:
    document = await read(files.make_pdf(["No password needed"], password=""), "guide.pdf")

    assert document.text == "No password needed"


async def test_a_hyphen_at_a_lines_end_stays(read: Read) -> None:
    document = await read(files.make_pdf(["An exam-\nple of division"]), "guide.pdf")

    assert document.text == "An exam-ple of division"


async def test_a_word_file_is_read_in_order_with_headings_lists_and_tables(read: Read) -> None:
    body = (
        files.paragraph("Preise", style="berschrift1")
        + files.paragraph("Gültig ab Mai.")
        + files.paragraph("Tarife", style="berschrift2")
        + files.paragraph("Basis", in_list=True)
        + files.paragraph("Profi", in_list=True)
        + files.table([["Tarif", "Euro"], ["Basis", "10"]])
        + files.paragraph("Fristen", style="berschrift1")
        + files.paragraph("Ein Monat.")
    )
    styles = files.heading_style("berschrift1", "heading 1") + files.heading_style("berschrift2", "heading 2")

    document = await read(files.make_docx(body, styles=styles), "preise.docx")

    assert outline(document) == [
        (("Preise",), "Preise\n\nGültig ab Mai."),
        (("Preise", "Tarife"), "Tarife\n\n- Basis\n- Profi\nTarif | Euro\nBasis | 10"),
        (("Fristen",), "Fristen\n\nEin Monat."),
    ]


async def test_what_word_does_not_show_is_not_read(read: Read) -> None:
    body = (
        "<w:p><w:r><w:t>Shown</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
        "<w:del><w:r><w:delText>deleted</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>"
        "<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t> too</w:t></w:r></w:p>"
    )

    document = await read(files.make_docx(body), "letter.docx")

    assert document.text == "Shown too"


async def test_footnotes_follow_the_text_of_a_word_file(read: Read) -> None:
    notes = f'<w:footnotes xmlns:w="{files.WORD}">{files.paragraph("See the law.")}</w:footnotes>'

    document = await read(files.make_docx(["Terms"], extra={"word/footnotes.xml": notes}), "terms.docx")

    assert document.text == "Terms\n\nSee the law."


async def test_a_csv_keeps_its_names_with_every_row(read: Read) -> None:
    document = await read(b'name,price,note\nBasic,10,"cheap, and\ngood"\nPro,20,\n', "prices.csv")

    assert document.text == "name: Basic; price: 10; note: cheap, and good\nname: Pro; price: 20"
    assert document.media_type == Kind.CSV


async def test_ragged_rows_lose_and_invent_nothing(read: Read) -> None:
    document = await read(b"name;price\nBasic\nPro;20;new;\n\n;30\n", "prices.csv")

    assert document.text == "name: Basic\nname: Pro; price: 20; column 3: new\nprice: 30"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
async def test_the_delimiter_is_found_out(read: Read, delimiter: str) -> None:
    rows = [["name", "price in euros", "said"], ["Basic", "9.50", "fine: it works"], ["Pro", "20", "great"]]
    data = "\r\n".join(delimiter.join(row) for row in rows).encode()

    document = await read(data, "prices.csv")

    assert document.text.startswith("name: Basic; price in euros: 9.50; said: fine: it works\n")


async def test_the_rows_of_a_long_csv_stay_whole_in_small_sections(read: Read) -> None:
    rows = "".join(f"{number},{'x' * 90}\n" for number in range(1000))

    document = await read(f"id,text\n{rows}".encode(), "rows.csv")

    assert all(section.text.startswith("id: ") and len(section.text) <= 400 for section in document.sections)
    assert document.text.count("id: ") == 1000


async def test_a_csv_of_a_header_alone_gives_the_names(read: Read) -> None:
    assert (await read(b"name,price\n", "prices.csv")).text == "name; price"


async def test_markdown_has_a_section_per_heading(read: Read) -> None:
    data = b"# Guide\n\n## Install ##\nRun it:\n\n```\n# not a heading\n```\n\nUse\n---\nClick.\n\n# End\nBye\n"

    document = await read(data, "guide.md")

    assert outline(document) == [
        (("Guide", "Install"), "# Guide\n\n## Install ##\n\nRun it:\n\n```\n# not a heading\n```"),
        (("Guide", "Use"), "Use\n\nClick."),
        (("End",), "# End\n\nBye"),
    ]


async def test_html_gives_what_a_reader_sees(read: Read) -> None:
    data = b"""<!DOCTYPE html><html><head><title>t</title><style>p {}</style></head><body><script>alert(1)</script>
      <h1>Our  shop</h1><p>Open &amp; <b>friend</b>ly<br>always<p hidden>secret<p>Come in
      <ul><li>tea<li>coffee</ul><div style="display: none">gone <i>too</i></div><span aria-hidden="true">x</span>
      <table><tr><th>Day<th>Hours<tr><td><p>Mon</p></td><td>9-5</table>
      <h2>Way</h2><pre>a  b\n  c</pre><template>no</template></body></html>"""

    document = await read(data, "shop.html")

    assert outline(document) == [
        (("Our shop",), "Our shop\n\nOpen & friendly\nalways\n\nCome in\n- tea\n- coffee\nDay | Hours\nMon | 9-5"),
        (("Our shop", "Way"), "Way\n\na  b\n  c"),
    ]


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("Grüße aus Köln", "utf-8"),
        ("Grüße aus Köln", "utf-8-sig"),
        ("Grüße aus Köln", "utf-16"),
        ("Greetings to everyone", "utf-16-le"),
        ("Greetings to everyone", "utf-16-be"),
        ("Grüße aus Köln", "cp1252"),
        ("Größe, Übermaß, café, garçon und naïve Straßen für die Ämter der Stadt Köln. " * 3, "cp1252"),
        ("Привет, это обычный русский текст для проверки кодировки файла. " * 3, "cp1251"),
        ("これは日本語のテキストです。文字コードを判定します。" * 5, "shift_jis"),
        ("这是一个普通的中文文本，用来检测文件的编码。" * 5, "gb18030"),
    ],
)
async def test_the_encoding_is_found_out(read: Read, text: str, codec: str) -> None:
    document = await read(text.encode(codec), "letter.txt")

    assert document.text == text.strip()


async def test_a_web_page_in_the_encoding_it_declares(read: Read) -> None:
    page = '<html><head><meta charset="windows-1251"></head><body>Привет</body></html>'

    assert (await read(page.encode("cp1251"), "page.html")).text == "Привет"


async def test_one_broken_character_does_not_change_the_encoding(read: Read) -> None:
    data = "Überall gültige Maße für Größen. ".encode() * 20

    document = await read(data + b"\xff", "letter.txt")

    assert document.text.startswith("Überall gültige Maße")


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
