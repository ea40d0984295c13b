"""What tables in text files become."""

import pytest

from chatconnect.adapters.parsers.csv import parse_csv
from chatconnect.adapters.parsers.detect import Kind
from chatconnect.domain.chunking import split
from tests.unit.parsers.conftest import Read


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


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("Artikel;Preis\nBremse;12,50\nKette;39,90;neu;da\nGlocke\n", "Artikel: Bremse; Preis: 12,50\nArtikel: Kette"),
        ('Artikel;Preis;Text\nBremse;12,50;"zwei\nZeilen; eine"\nKette;39,90\nRad;8,10\n',
         "Artikel: Bremse; Preis: 12,50; Text: zwei Zeilen; eine\nArtikel: Kette; Preis: 39,90"),
        ("Brot;1,50\nMilch;2,30\n", "Brot | 1,50\nMilch | 2,30"),
        ("1,50;2,30\n3,10;4,20\n", "1,50 | 2,30\n3,10 | 4,20"),
    ],
)  # fmt: skip
def test_a_comma_inside_numbers_divides_no_cells(table: str, expected: str) -> None:
    assert parse_csv(table.encode()).text.startswith(expected)


async def test_the_rows_of_a_long_csv_stay_whole_in_small_sections(read: Read) -> None:
    rows = "".join(f"{number},{'x' * 90}\n" for number in range(1000))

    document = await read(f"id,text\n{rows}".encode(), "rows.csv")

    assert all(section.text.startswith("id: ") and len(section.text) <= 400 for section in document.sections)
    assert document.text.count("id: ") == 1000


def test_every_chunk_of_a_very_wide_row_says_what_the_row_is_about() -> None:
    names = ",".join(["Plan", *(f"Measure {number}" for number in range(500))])
    rows = [",".join([plan, *(str(number * 7) for number in range(500))]) for plan in ("Basic", "Premium")]

    parsed = parse_csv("\n".join([names, *rows]).encode())
    chunks = [chunk.text for chunk in split(parsed, lambda text: len(text.split()), size=100, overlap=10)]

    assert len(chunks) > 20
    assert all(("Plan: Basic" in text) != ("Plan: Premium" in text) for text in chunks)
    assert all(f"Measure {number}: {number * 7}" in parsed.text for number in range(500))


async def test_a_csv_of_a_header_alone_gives_the_names(read: Read) -> None:
    assert (await read(b"name,price\n", "prices.csv")).text == "name; price"


def test_every_section_holds_rows() -> None:
    assert all(section.rows for section in parse_csv(b"id,text\n" + b"1,some text\n" * 100).sections)


@pytest.mark.parametrize(
    "first",
    ["1,Widget,9.90", "Widget,9.90,EUR", "2026-11-21,open,yes", "info@example.org,Ann,B", "x,https://example.org,y"],
)
def test_a_first_row_of_data_names_no_columns(first: str) -> None:
    document = parse_csv(f"{first}\na,b,c\n".encode())

    assert document.text == f"{' | '.join(first.split(','))}\na | b | c"


@pytest.mark.parametrize(
    "table",
    [
        "How long is the warranty?,Ten years.\nWhat does delivery cost?,Nine euros.\n",
        "Warranty,It covers the frame for ten years.\nDelivery,Nine euros\n",
        "保証,フレームの保証期間は十年間です。\n送料,九ユーロ\n",
    ],
)
def test_questions_and_answers_name_no_columns(table: str) -> None:
    assert parse_csv(table.encode()).text == table.strip().replace(",", " | ")


def test_questions_that_were_asked_may_name_the_columns_of_their_answers() -> None:
    document = parse_csv(b"Time,How do you like it?\n9:00,Very much\n")

    assert document.text == "Time: 9:00; How do you like it?: Very much"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('"Konto:";"DE12"\n"Zeitraum:";"Januar"\n\n"Tag";"Zweck";"Betrag"\n"2.1.";"Miete";"-850,00"\n',
         "Konto: | DE12\nZeitraum: | Januar\nTag: 2.1.; Zweck: Miete; Betrag: -850,00"),
        ("Company,Northwind\n\nRegion,Q1,Q2\nNorth,10,12\n", "Company | Northwind\nRegion: North; Q1: 10; Q2: 12"),
        ("Name,City\n\nAnn,Bonn\n\nBen,Ulm,1\nEve,Bern,2\n",
         "Name: Ann; City: Bonn\nName: Ben; City: Ulm; column 3: 1\nName: Eve; City: Bern; column 3: 2"),
    ],
)  # fmt: skip
def test_what_stands_above_a_table_and_a_blank_row_names_no_columns(table: str, expected: str) -> None:
    assert parse_csv(table.encode()).text == expected


def test_years_may_name_columns() -> None:
    assert parse_csv(b"Region;2025;2026\nNorth;1.5;2.5\n").text == "Region: North; 2025: 1.5; 2026: 2.5"


def test_a_title_above_the_names_is_kept_as_a_line() -> None:
    document = parse_csv(b"Price list 2026;;\n;;\nname;price;stock\nBasic;10;3\n")

    assert document.text == "Price list 2026\nname: Basic; price: 10; stock: 3"


def test_cells_in_single_quotation_marks_lose_them() -> None:
    document = parse_csv(b"'name','said'\n'Ann','yes, of course'\n'Bob','no'\n")

    assert document.text == "name: Ann; said: yes, of course\nname: Bob; said: no"


def test_apostrophes_are_no_quotation_marks() -> None:
    assert parse_csv(b"name,town\nO'Brien,Saint-Jean-d'Acre\n").text == "name: O'Brien; town: Saint-Jean-d'Acre"


def test_the_delimiter_that_excel_names_is_taken() -> None:
    assert parse_csv(b"sep=;\na;b,c\n1;2\n").text == "a: 1; b,c: 2"


def test_a_long_row_has_a_line_per_cell_and_a_long_cell_repeats_its_name() -> None:
    answer = " ".join(f"Sentence number {number} of the answer." for number in range(100))

    lines = parse_csv(f"question,answer\nHow long is it?,{answer}\n".encode()).text.split("\n")

    question, answers = lines[0], [line.removeprefix(f"{lines[0]}; ") for line in lines[1:]]
    assert question == "question: How long is it?"
    assert len(answers) > 2
    assert all(line.startswith("answer: Sentence") and line.endswith(".") for line in answers)
    assert " ".join(line.removeprefix("answer: ") for line in answers) == answer
