"""What PDFs become: pages, headings, paragraphs, columns."""

import pytest

from chatconnect.adapters.parsers.detect import Kind
from chatconnect.adapters.parsers.pdf import parse_pdf
from chatconnect.domain.errors import DocumentRejected
from tests import files
from tests.files import Placed
from tests.unit.parsers.conftest import Read, outline

BODY = [
    "The bicycle needs a new frame and a wheel that was replaced in the workshop,",
    "Werkstatt included, and every rider gets a receipt for the work that is done",
    "on the battery. Another sentence follows here and reaches the edge just so as",
    "usual. The end.",
]
WHOLE = " ".join(BODY)


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


def test_a_page_of_very_many_lines_is_whole() -> None:
    lines = [f"Line {number} in small print." for number in range(300)]

    page = files.lines_down(lines, size=2, step=2.4, y=800)

    assert parse_pdf(files.make_placed_pdf([page])).text == "\n".join(lines)


def test_a_font_of_a_very_long_name_is_not_taken_for_the_one_before_it() -> None:
    page = [
        Placed("What is paid", bold=True),
        Placed("The fee and the postage", y=680),
        *files.lines_down(["You pay for the parts and for our work."] * 3, y=640),
    ]
    data = files.make_placed_pdf([page]).replace(b"/BaseFont /Helvetica ", b"/BaseFont /%s " % (b"Face" * 30))

    assert [section.headings for section in parse_pdf(data).sections] == [("What is paid",)]


def test_larger_and_bold_lines_are_headings() -> None:
    page = [
        Placed("The handbook", y=760, size=24),
        Placed("Terms of", y=720, size=16),
        Placed("delivery", y=702, size=16),
        *files.lines_down(BODY, y=680),
        Placed("Returns", y=620, bold=True),
        *files.lines_down(BODY, y=600),
    ]

    document = parse_pdf(files.make_placed_pdf([page, files.lines_down(BODY)]))

    assert [(section.page, section.headings, section.text) for section in document.sections] == [
        (1, ("The handbook", "Terms of delivery"), f"The handbook\n\nTerms of\ndelivery\n\n{WHOLE}"),
        (1, ("The handbook", "Terms of delivery", "Returns"), f"Returns\n\n{WHOLE}"),
        (2, ("The handbook", "Terms of delivery", "Returns"), WHOLE),
    ]


def test_a_bold_word_in_a_line_and_large_numbers_are_no_headings() -> None:
    page = [
        Placed("Note", x=60, y=740, bold=True),
        Placed("that this is no heading.", x=90, y=740),
        Placed("99.90", y=710, size=20),
        Placed("A whole sentence in bold ends with a stop.", y=680, bold=True),
        *files.lines_down(BODY, y=650),
    ]

    assert {section.headings for section in parse_pdf(files.make_placed_pdf([page])).sections} == {()}


def test_what_the_outline_names_is_a_heading_although_it_looks_like_text() -> None:
    pages = [[Placed(f"Chapter {number}", y=740), *files.lines_down(BODY)] for number in range(4)]
    names = [(f"Chapter {number}", number) for number in range(4)]

    document = parse_pdf(files.make_placed_pdf(pages, outline=names))

    assert outline(document) == [((name,), f"{name}\n\n{WHOLE}") for name, _ in names]


def test_lines_that_run_through_the_pages_are_left_out() -> None:
    pages = [
        [
            Placed("ACME handbook", y=800),
            *files.lines_down([f"This page is about matter {number} alone.", *BODY]),
            Placed(f"Page {number + 1} of 5", y=40),
        ]
        for number in range(5)
    ]

    text = parse_pdf(files.make_placed_pdf(pages)).text

    assert "ACME" not in text
    assert "of 5" not in text
    assert [f"matter {number} alone" in text for number in range(5)] == [True] * 5


@pytest.mark.parametrize("pages", [2, 5])
def test_pages_that_are_the_same_keep_their_text(pages: int) -> None:
    document = parse_pdf(files.make_pdf(["\n".join(BODY)] * pages))

    assert [section.text for section in document.sections] == [WHOLE] * pages


def test_the_title_that_runs_through_a_chapter_is_left_out_of_a_long_book() -> None:
    pages = [
        [
            Placed(f"About {topic}", y=790),
            *files.lines_down([f"Line {line} on {topic} {page} goes on." for line in range(9)]),
        ]
        for topic in ("frames", "wheels", "brakes", "lights")
        for page in range(6)
    ]

    text = parse_pdf(files.make_placed_pdf(pages)).text

    assert "About" not in text
    assert text.count("Line 8 on wheels") == 6


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("M¨oller w¨ahlt f¨ur ¨Ubung", "Möller wählt für Übung"),
        ("caf´e ¸ca va", "café ça va"),
        ("5 ´ and ¨x", "5 ´ and ẍ"),
    ],
)
def test_an_accent_that_is_written_before_its_letter_is_set_upon_it(written: str, text: str) -> None:
    assert parse_pdf(files.make_pdf([f"{written} and so on"])).text == f"{text} and so on"


def test_titles_that_count_stay_when_they_are_set_like_headings() -> None:
    pages = [[Placed(f"Lesson {number}", y=740, size=16), *files.lines_down(BODY)] for number in range(5)]

    document = parse_pdf(files.make_placed_pdf(pages))

    assert [section.headings for section in document.sections] == [(f"Lesson {number}",) for number in range(5)]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["An exam-", "ple of division"], "An example of division"),
        (["A well-", "known town. It is well-known."], "A well-known town. It is well-known."),
        (["Sounds well-", "known. They are known here."], "Sounds well-known. They are known here."),
        (["Die E-", "Mail kommt"], "Die E-Mail kommt"),
        (["In 2025-", "2026 it was"], "In 2025-\n2026 it was"),
        (["Größen-", "angaben fehlen"], "Größenangaben fehlen"),
    ],
)
def test_a_word_divided_at_a_lines_end_is_whole_again(lines: list[str], expected: str) -> None:
    assert parse_pdf(files.make_pdf(["\n".join(lines)])).text == expected


def test_lines_of_a_paragraph_are_joined_and_those_of_lists_and_tables_are_not() -> None:
    bullets = [f"- {line}" for line in BODY[:3]]
    rows = [
        f"{name} of the price list with a long name to the edge {price}" for name, price in (("Basic", 10), ("Pro", 20))
    ]

    document = parse_pdf(
        files.make_placed_pdf(
            [files.lines_down(BODY) + files.lines_down(bullets, y=600) + files.lines_down(rows, y=500)]
        )
    )

    assert document.text == "\n\n".join([WHOLE, "\n".join(bullets), "\n".join(rows)])


def test_a_page_of_little_text_and_much_white_keeps_its_words() -> None:
    rows = [("Contents", ""), ("1. Delivery and returns", "7"), ("2. Warranty", "14"), ("3. Privacy", "21")]
    page = [
        Placed(cell, x, 700 - 14 * number)
        for number, row in enumerate(rows)
        for cell, x in zip(row, (60, 520), strict=True)
    ]

    assert parse_pdf(files.make_spelt_pdf(page)).text == "\n".join(" ".join(row).strip() for row in rows)


def test_text_that_runs_up_the_page_is_read_like_any_other() -> None:
    terms = ["The warranty on the frame lasts for ten years and it covers",
             "all faults of material. It does not cover wear and tear of"]  # fmt: skip
    lines = ["Warranty terms", *terms, "brakes and chains.", *terms, "tyres."]
    page = [
        Placed(text, 100 + 14 * number + (20 if number > 3 else 0), 60, 18 if number == 0 else 10)
        for number, text in enumerate(lines)
    ]

    sections = parse_pdf(files.make_spelt_pdf(page, turned=True)).sections

    expected = "Warranty terms\n\n" + "\n\n".join(
        f"{' '.join(terms)} {end}" for end in ("brakes and chains.", "tyres.")
    )
    assert [(section.headings, section.text) for section in sections] == [(("Warranty terms",), expected)]


def test_words_from_right_to_left_are_read_in_their_order_whichever_way_they_were_written() -> None:
    logical = "مرحبا بكم"
    visual = logical[::-1]

    text = parse_pdf(files.make_spelt_pdf([Placed(visual), Placed("Code 7", y=600)])).text

    assert text == f"{logical}\n\nCode 7"


def test_a_title_in_the_middle_is_no_part_of_the_heading_below_it() -> None:
    text = files.lines_down([f"Line {number} of the text goes on and on for a while." for number in range(9)])
    titles = [Placed("Service manual", 240, 750, 18, bold=True), Placed("1 Introduction", 60, 728, 18, bold=True)]

    [section] = parse_pdf(files.make_placed_pdf([[*titles, *text]])).sections

    assert section.headings == ("1 Introduction",)


def two_columns(rows: int = 10) -> list[Placed]:
    left = [f"left column line {number} has words enough to fill it" for number in range(rows)]
    right = [f"right side text {number} goes on with other words here" for number in range(rows)]
    columns = zip(files.lines_down(left, x=50, y=600), files.lines_down(right, x=310, y=600), strict=True)
    return [line for row in columns for line in row]


def test_the_left_column_is_read_before_the_right_one() -> None:
    title = Placed("A title that reaches across both of the columns", x=50, y=650, size=18)

    text = parse_pdf(files.make_placed_pdf([[title, *two_columns()]])).text

    assert text.index("columns") < text.index("left column line 0") < text.index("left column line 9")
    assert text.index("left column line 9") < text.index("right side text 0") < text.index("right side text 9")


def test_columns_stay_columns_beside_a_line_that_is_put_together() -> None:
    raised = [Placed("The area is 25 m", 50, 650), Placed("2", 124, 656, 7), Placed("of ground", 133, 650)]

    text = parse_pdf(files.make_placed_pdf([[*raised, *two_columns()]])).text

    assert text.startswith("The area is 25 m2 of ground")
    assert text.index("left column line 9") < text.index("right side text 0")


def test_the_rows_of_a_table_stay_whole() -> None:
    rows = [(f"Item number {number}", f"{number * 10} EUR", "in stock") for number in range(10)]
    page = [
        Placed(cell, x, 600 - 12 * number)
        for number, row in enumerate(rows)
        for cell, x in zip(row, (50, 310, 450), strict=True)
    ]

    assert parse_pdf(files.make_placed_pdf([page])).text == "\n".join(" ".join(row) for row in rows)


def test_a_scan_says_what_to_do() -> None:
    with pytest.raises(DocumentRejected, match="text recognition") as caught:
        parse_pdf(files.make_scanned_pdf(3))

    assert caught.value.code == "no_text"
