import re
import time
import unicodedata
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatconnect.adapters.tokens import BpeTokenCounter
from chatconnect.domain.chunking import ChunkSettings, ChunkText, ParsedDocument, Section, split
from chatconnect.domain.errors import Invalid

PROSE = "Our office opens at nine. It closes at five, except on Fridays! Who may enter? Every guest may. "


def words(text: str) -> int:
    """A token per word, and one per eight characters of a longer word."""
    return sum(1 + len(word) // 8 for word in text.split())


def bpe(text: str) -> int:
    return BpeTokenCounter()(text)


def document(*sections: str | Section) -> ParsedDocument:
    """Sections one after the other; a plain string has no page and no headings."""
    placed: list[Section] = []
    text = ""
    for section in sections:
        start = len(text) + 2 if placed else 0
        given_ = section if isinstance(section, Section) else Section(section, 0)
        placed.append(Section(given_.text, start, given_.page, given_.headings, given_.rows))
        text = text + "\n\n" + given_.text if start else given_.text
    return ParsedDocument(text, tuple(placed), "text/plain")


def uncovered(parsed: ParsedDocument, chunks: list[ChunkText]) -> str:
    """What is in no chunk, white space apart."""
    left, position = "", 0
    for chunk in chunks:
        left += parsed.text[position : chunk.start]
        position = max(position, chunk.end)
    return (left + parsed.text[position:]).strip()


def overlaps(chunks: list[ChunkText]) -> list[str]:
    return [after.text[: before.end - after.start] for before, after in pairwise(chunks) if after.start < before.end]


def test_a_short_text_is_one_chunk() -> None:
    parsed = document("  Hello there. How are you?\n")

    [chunk] = split(parsed, words)

    assert chunk == ChunkText(0, "Hello there. How are you?", 2, 27, 5)


def test_a_blank_document_has_no_chunks() -> None:
    assert list(split(document("", " \n "), words)) == []


def test_chunks_are_full_and_end_at_sentence_ends() -> None:
    parsed = document(PROSE * 200)

    chunks = list(split(parsed, bpe))

    assert all(450 <= chunk.tokens <= 500 for chunk in chunks[:-1])
    assert all(chunk.text[-1] in ".!?" for chunk in chunks)
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))


def test_a_chunk_begins_with_the_last_whole_sentences_of_the_one_before() -> None:
    parsed = document(PROSE * 200)

    repeated = overlaps(chunks := list(split(parsed, bpe)))

    assert len(repeated) == len(chunks) - 1
    assert all(30 <= bpe(text) <= 50 for text in repeated)
    assert all(re.match(r"(Our|It|Who|Every) ", text) for text in repeated)


def test_without_overlap_nothing_is_said_twice() -> None:
    chunks = list(split(document(PROSE * 200), bpe, overlap=0))

    assert overlaps(chunks) == []


def test_a_chunk_never_crosses_a_page() -> None:
    parsed = document(Section("End of one.", 0, page=1), Section("Start of two.", 0, page=2))

    chunks = list(split(parsed, words))

    assert [(chunk.text, chunk.page) for chunk in chunks] == [("End of one.", 1), ("Start of two.", 2)]


def test_short_sections_of_a_page_share_a_chunk_that_has_the_first_ones_headings() -> None:
    parsed = document(
        Section("Prices\n\nTen euros.", 0, 3, ("Prices",)), Section("Terms\n\nA month.", 0, 3, ("Terms",))
    )

    [chunk] = split(parsed, words)

    assert chunk.text == "Prices\n\nTen euros.\n\nTerms\n\nA month."
    assert (chunk.page, chunk.headings) == (3, ("Prices",))


def test_a_section_that_does_not_fit_beside_its_neighbours_begins_its_own_chunk() -> None:
    parsed = document(
        Section("one two three", 0, headings=("A",)),
        Section("four five six", 0, headings=("B",)),
        Section("seven", 0, headings=("C",)),
    )

    chunks = list(split(parsed, words, size=5, overlap=2))

    assert [(chunk.text, chunk.headings) for chunk in chunks] == [
        ("one two three", ("A",)),
        ("four five six\n\nseven", ("B",)),
    ]


def test_a_long_section_keeps_to_itself() -> None:
    parsed = document(Section("Short.", 0), Section(PROSE * 50, 0, headings=("Long",)), Section("Also short.", 0))

    chunks = list(split(parsed, bpe))

    assert chunks[0].text == "Short."
    assert chunks[-1].text == "Also short."
    assert {chunk.headings for chunk in chunks[1:-1]} == {("Long",)}


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("We pay, e.g. for travel. You do not.", "We pay, e.g. for travel."),
        ("This line is\nwrapped here. Next one.", "This line is\nwrapped here."),
        ("It costs 3.50 euros. Cheap.", "It costs 3.50 euros."),
        ('He said "stop." Then he left.', 'He said "stop."'),
        ("- First item\n- Second item", "- First item"),
        ("价格是十欧元。每月付款。", "价格是十欧元。"),
        ("「はい。」と言った。次の文。", "「はい。」"),
        ("هل تعمل؟ نعم، تعمل.", "هل تعمل؟"),
        ("یہ پہلا ہے۔ یہ دوسرا ہے۔", "یہ پہلا ہے۔"),
        ("यह पहला वाक्य है। यह दूसरा है।", "यह पहला वाक्य है।"),
        ("สวัสดีครับ ผมชื่อสมชาย", "สวัสดีครับ"),
        ("ကောင်းပါသည်။ဒုတိယ", "ကောင်းပါသည်။"),
        ("Բարեւ։ Ինչպես եք։", "Բարեւ։"),
        ("Er kam am 3. Mai zu J. Roth. Er blieb.", "Er kam am 3. Mai zu J. Roth."),
    ],
)
def test_sentence_ends_are_found_in_many_kinds_of_text(text: str, first: str) -> None:
    size = len(text) - 1

    chunks = list(split(document(text), len, size=size, overlap=0))

    assert chunks[0].text.startswith(first)
    assert all(
        not chunk.text.startswith(first[1:]) and (first in chunk.text or chunk.start >= len(first)) for chunk in chunks
    )


def test_a_sentence_longer_than_a_chunk_is_cut_between_words() -> None:
    parsed = document("word " * 3000)

    chunks = list(split(parsed, bpe))

    assert all(set(chunk.text.split()) == {"word"} for chunk in chunks)
    assert all(chunk.tokens > 400 for chunk in chunks[:-1])
    assert uncovered(parsed, chunks) == ""


@pytest.mark.parametrize("text", ["汉字没有空格" * 2000, "ภาษาไทยไม่มีเว้นวรรค" * 1000, "x" * 20_000, "😀" * 3000])
def test_text_without_blanks_is_cut_between_characters(text: str) -> None:
    parsed = document(text)

    chunks = list(split(parsed, bpe))

    assert all(300 < chunk.tokens <= 500 for chunk in chunks[:-1])
    assert uncovered(parsed, chunks) == ""


@pytest.mark.parametrize(
    "text",
    ["กำลังที่เก้าอี้" * 60, "हिन्दीक्षेत्र" * 60, "👩‍👩‍👧‍👦" * 60, "e\u0301o\u0308" * 200],
    ids=["thai", "hindi", "families", "accents"],
)
def test_a_cut_tears_no_letter_from_its_signs(text: str) -> None:
    chunks = list(split(document(text), len, size=50, overlap=0))

    assert "".join(chunk.text for chunk in chunks) == text
    for chunk in chunks[1:]:
        before = text[chunk.start - 1]
        assert unicodedata.category(chunk.text[0])[0] != "M"
        assert "\u200d" not in (before, chunk.text[0])
        assert before not in "เแโใไ"
        assert unicodedata.combining(before) != 9  # a sign that ties two consonants


def test_rows_stay_whole_and_are_not_repeated() -> None:
    rows = "\n".join(f"name: row {number}. Is it whole? Yes. It is; price: {number}" for number in range(100))

    chunks = list(split(document(Section(rows, 0, rows=True)), words, size=60, overlap=20))

    assert "\n".join(chunk.text for chunk in chunks) == rows
    assert all(chunk.text.startswith("name: row") for chunk in chunks)


def test_a_row_that_fits_no_chunk_is_cut_like_a_sentence() -> None:
    parsed = document(Section("name: " + PROSE * 3 + "\nname: short", 0, rows=True))

    chunks = list(split(parsed, words, size=20, overlap=0))

    assert len(chunks) > 2
    assert uncovered(parsed, chunks) == ""


def test_settings_have_the_usual_sizes_by_default() -> None:
    assert (ChunkSettings().size, ChunkSettings().overlap) == (500, 50)


@pytest.mark.parametrize(("size", "overlap"), [(99, 0), (2001, 0), (100, 50), (100, -1)])
def test_settings_that_make_no_sense_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(Invalid):
        ChunkSettings(size, overlap)


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (10, 10), (10, -1)])
def test_sizes_that_make_no_sense_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        list(split(document("text"), words, size=size, overlap=overlap))


TEXTS = st.text(st.sampled_from("ab A.!?。 \n\t\"')-汉字ก😀é1"), max_size=400) | st.text(max_size=200)
SECTIONS = st.lists(
    st.builds(
        Section,
        TEXTS,
        st.just(0),
        st.sampled_from([None, 1, 2]),
        st.sampled_from([(), ("A",), ("A", "B")]),
        st.booleans(),
    ),
    max_size=8,
)


@pytest.mark.parametrize("count_tokens", [words, len, bpe])
@given(sections=SECTIONS, size=st.integers(8, 60), overlap=st.integers(0, 7))
@settings(max_examples=150)
def test_chunks_are_slices_that_fit_and_leave_nothing_out(
    count_tokens: Callable[[str], int], sections: list[Section], size: int, overlap: int
) -> None:
    parsed = document(*sections)

    chunks = list(split(parsed, count_tokens, size=size, overlap=overlap))

    assert all(parsed.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert all(chunk.tokens == count_tokens(chunk.text) <= size for chunk in chunks)
    assert all(chunk.text.strip() == chunk.text != "" for chunk in chunks)
    assert all(before.start < after.start and before.end < after.end for before, after in pairwise(chunks))
    assert all(count_tokens(text.strip()) <= overlap for text in overlaps(chunks))
    assert uncovered(parsed, chunks) == ""


@given(sections=SECTIONS)
def test_a_chunk_has_the_page_and_headings_of_the_section_it_begins_in(sections: list[Section]) -> None:
    parsed = document(*sections)

    for chunk in split(parsed, len, size=20, overlap=5):
        [home] = [part for part in parsed.sections if part.start <= chunk.start < part.start + len(part.text)]
        assert (chunk.page, chunk.headings) == (home.page, home.headings)


@pytest.mark.parametrize(
    "text",
    [
        PROSE * 10_000,
        "a" * 1_000_000,
        "." * 1_000_000,
        "a" + " " * 1_000_000 + "b",
        ("w" + " " * 10_000) * 100,
        '."' * 500_000,
        "! " * 500_000,
        "a\n" * 500_000,
        "汉" * 1_000_000,
        "ก " * 500_000,
        "J. " * 300_000,
        "\u0301" * 1_000_000,
    ],
    ids=[
        "prose",
        "letters",
        "dots",
        "blanks",
        "gaps",
        "quotes",
        "exclamations",
        "lines",
        "chinese",
        "thai",
        "initials",
        "signs",
    ],
)
def test_a_megabyte_of_anything_takes_linear_time(text: str) -> None:
    before = time.process_time()

    chunks = list(split(document(text), bpe))

    assert time.process_time() - before < 10  # a quadratic step takes minutes
    assert all(chunk.tokens <= 500 for chunk in chunks)


def test_chunks_come_one_by_one() -> None:
    counted = 0

    def counting(text: str) -> int:
        nonlocal counted
        counted += len(text)
        return bpe(text)

    next(split(document(PROSE * 10_000), counting))

    assert counted < 20_000
