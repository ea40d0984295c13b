"""What Word files become."""

import re
import zipfile
from io import BytesIO

import pytest

from chatconnect.adapters.parsers.docx import parse_docx
from tests import files
from tests.unit.parsers.conftest import Read, outline

HEADINGS = files.heading_style("berschrift1", "heading 1") + files.heading_style("berschrift2", "heading 2")


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

    document = await read(files.make_docx(body, styles=HEADINGS), "preise.docx")

    assert outline(document) == [
        (("Preise",), "Preise\n\nGültig ab Mai."),
        (("Preise", "Tarife"), "Tarife\n\n- Basis\n- Profi"),
        (("Preise", "Tarife"), "Tarif: Basis; Euro: 10"),
        (("Fristen",), "Fristen\n\nEin Monat."),
    ]


async def test_the_title_of_a_word_file_stands_over_its_headings(read: Read) -> None:
    styles = HEADINGS + files.heading_style("Titel", "Title")
    parts = [("Vertrag", "Titel"), ("Preise", "berschrift1"), ("Zehn.", ""), ("Ende", "berschrift1"), ("Bald.", "")]
    body = "".join(files.paragraph(text, style=style) for text, style in parts)

    document = await read(files.make_docx(body, styles=styles), "vertrag.docx")

    assert [section.headings for section in document.sections] == [("Vertrag", "Preise"), ("Vertrag", "Ende")]


async def test_what_word_does_not_show_is_not_read(read: Read) -> None:
    body = (
        "<w:p><w:r><w:t>Shown</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
        "<w:del><w:r><w:delText>deleted</w:delText></w:r></w:del><w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom>"
        "<w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t> too</w:t></w:r></w:p>"
    )

    document = await read(files.make_docx(body), "letter.docx")

    assert document.text == "Shown too"


async def test_what_another_program_calls_otherwise_is_read_all_the_same(read: Read) -> None:
    body = files.paragraph("Preise", style="berschrift1") + files.paragraph("Gültig ab Mai.", in_list=True)
    word = files.make_docx(body, styles=HEADINGS)
    with zipfile.ZipFile(BytesIO(word)) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    renamed = {name: re.sub(r"(?<=[</ :])w(?=[:=])", "ns0", text) for name, text in parts.items()}
    by_default = {name: re.sub(r"(</?)w:", r"\1", text).replace("xmlns:w", f'xmlns="{files.WORD}" xmlns:w')
                  if name.startswith("word/") else text for name, text in parts.items()}  # fmt: skip

    expected = outline(await read(word, "preise.docx"))

    assert expected == [(("Preise",), "Preise\n\n- Gültig ab Mai.")]
    assert "ns0:document" in renamed["word/document.xml"]
    assert "<document" in by_default["word/document.xml"]
    for each in (renamed, by_default):
        assert outline(await read(files.make_zip(each), "preise.docx")) == expected


def test_a_formula_is_read_and_what_stands_above_characters_is_not() -> None:
    math = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    body = (
        f"<w:p><w:r><w:t>Mass: </w:t></w:r><m:oMath {math}><m:r><m:t>E=mc</m:t></m:r></m:oMath></w:p>"
        "<w:p><w:r><w:ruby><w:rt><w:r><w:t>とうきょう</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>東京</w:t></w:r>"
        "</w:rubyBase></w:ruby></w:r><w:r><w:t>の店</w:t></w:r></w:p>"
    )

    assert parse_docx(files.make_docx(body)).text == "Mass: E=mc\n\n東京の店"


def test_notes_have_the_numbers_by_which_the_text_refers_to_them() -> None:
    def refers(text: str, kind: str, number: int) -> str:
        return f'<w:p><w:r><w:t>{text}</w:t></w:r><w:r><w:{kind}Reference w:id="{number}"/></w:r></w:p>'

    def note(text: str, kind: str, number: int) -> str:
        inner = f'<w:p><w:r><w:{kind}Ref/></w:r><w:r><w:t xml:space="preserve"> {text}</w:t></w:r></w:p>'
        return f'<w:{kind} w:id="{number}">{inner}</w:{kind}>'

    body = refers("Nine days", "footnote", 7) + refers("Ten euros", "footnote", 3) + refers("End", "endnote", 2)
    separator = '<w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r></w:p></w:footnote>'
    parts = {
        "word/footnotes.xml": separator + note("Or eleven.", "footnote", 3) + note("Not on Sundays.", "footnote", 7),
        "word/endnotes.xml": note("Or not.", "endnote", 2),
    }
    extra = {name: f'<w:notes xmlns:w="{files.WORD}">{notes}</w:notes>' for name, notes in parts.items()}

    text = parse_docx(files.make_docx(body, extra=extra)).text

    assert text.split("\n\n") == [
        "Nine days[1]", "Ten euros[2]", "End[i]", "[2] Or eleven.", "[1] Not on Sundays.", "[i] Or not.",
    ]  # fmt: skip


async def test_footnotes_follow_the_text_of_a_word_file(read: Read) -> None:
    notes = f'<w:footnotes xmlns:w="{files.WORD}">{files.paragraph("See the law.")}</w:footnotes>'

    document = await read(files.make_docx(["Terms"], extra={"word/footnotes.xml": notes}), "terms.docx")

    assert document.text == "Terms\n\nSee the law."


def item(text: str, list_id: int, depth: int = 0) -> str:
    numbering = f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{list_id}"/></w:numPr>'
    return f"<w:p><w:pPr>{numbering}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def levels(*forms: tuple[str, str]) -> str:
    return "".join(
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for depth, (form, text) in enumerate(forms)
    )


NUMBERING = (
    f'<w:numbering xmlns:w="{files.WORD}">'
    f'<w:abstractNum w:abstractNumId="5">{levels(("decimal", "%1."), ("decimal", "%1.%2"))}</w:abstractNum>'
    f'<w:abstractNum w:abstractNumId="6">{levels(("bullet", "•"), ("lowerLetter", "%2)"))}</w:abstractNum>'
    f'<w:abstractNum w:abstractNumId="7">{levels(("upperRoman", "§ %1"))}</w:abstractNum>'
    + "".join(f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n + 4}"/></w:num>' for n in (1, 2, 3))
    + "</w:numbering>"
)


def test_list_items_keep_their_numbers() -> None:
    body = (
        item("One", 1) + item("Part", 1, 1) + item("Part", 1, 1) + item("Two", 1) + item("Part", 1, 1)
        + item("Dot", 2) + item("Letter", 2, 1) + item("Letter", 2, 1)
        + "".join(item("Law", 3) for _ in range(4))
    )  # fmt: skip

    document = parse_docx(files.make_docx(body, extra={"word/numbering.xml": NUMBERING}))

    assert document.text.split("\n") == [
        "1. One", "  1.1 Part", "  1.2 Part", "2. Two", "  2.1 Part", "- Dot", "  a) Letter", "  b) Letter",
        "§ I Law", "§ II Law", "§ III Law", "§ IV Law",
    ]  # fmt: skip


def test_a_style_gives_its_paragraphs_level_and_list() -> None:
    based = '<w:style w:styleId="Chapter"><w:name w:val="Chapter"/><w:basedOn w:val="berschrift1"/></w:style>'
    dotted = '<w:style w:styleId="Dotted"><w:name w:val="Dotted"/><w:numPr><w:numId w:val="2"/></w:numPr></w:style>'
    body = files.paragraph("Start", style="Chapter") + files.paragraph("Item", style="Dotted")

    document = parse_docx(
        files.make_docx(body, styles=HEADINGS + based + dotted, extra={"word/numbering.xml": NUMBERING})
    )

    assert outline(document) == [(("Start",), "Start\n\n- Item")]


def test_styles_that_are_based_on_each_other_end() -> None:
    loop = "".join(f'<w:style w:styleId="{a}"><w:basedOn w:val="{b}"/></w:style>' for a, b in ("XY", "YX"))

    assert outline(parse_docx(files.make_docx(files.paragraph("Text", style="X"), styles=loop))) == [((), "Text")]


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{files.paragraph(text)}</w:tc>"


def row(*cells: str, header: bool = False) -> str:
    return f"<w:tr>{'<w:trPr><w:tblHeader/></w:trPr>' if header else ''}{''.join(cells)}</w:tr>"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(cell("Day"), cell("Who"), header=True), row(cell("Mon"), cell("Ann"))], "Day: Mon; Who: Ann"),
        ([row(cell("Name"), cell("Ann")), row(cell("Town"), cell("Bonn"))], "Name | Ann\nTown | Bonn"),
        (
            [
                row(cell("a"), cell("b"), cell("c")),
                row(cell("1", '<w:gridSpan w:val="2"/>'), cell("3")),
                row(cell("4", '<w:vMerge w:val="restart"/>'), cell("5"), cell("6")),
                row(cell("", "<w:vMerge/>"), cell("7"), cell("8")),
            ],
            "a: 1; c: 3\na: 4; b: 5; c: 6\na: 4; b: 7; c: 8",
        ),
        ([row(cell("A frame")), row(cell("around text"))], "A frame\n\naround text"),
    ],
)
def test_tables_become_rows_with_names_where_they_have_them(rows: list[str], expected: str) -> None:
    assert parse_docx(files.make_docx(f"<w:tbl>{''.join(rows)}</w:tbl>")).text == expected


def test_a_table_in_a_cell_stays_in_its_row() -> None:
    inner = files.table([["x", "y"]])
    body = f"<w:tbl>{row(cell('a'), cell('b'), header=True)}{row(cell('1'), f'<w:tc>{inner}</w:tc>')}</w:tbl>"

    assert parse_docx(files.make_docx(body)).text == "a: 1; b: x | y"


def test_text_in_a_box_is_read_once() -> None:
    box = f"<w:txbxContent>{files.paragraph('In the box')}</w:txbxContent>"
    body = (
        "<w:p><w:r><w:t>Beside</w:t></w:r><w:r><mc:AlternateContent>"
        f"<mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )

    assert parse_docx(files.make_docx(body)).text == "In the box\n\nBeside"
