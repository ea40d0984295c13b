"""Markers in a streamed answer: each stands for a passage or is gone."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.domain.citations import CitationStream, quote_span, remembered, without_markers
from chatconnect.domain.conversation import Citation, Message, Role
from chatconnect.domain.identifiers import ConversationId, DocumentId, MessageId, VersionId, new_id
from chatconnect.domain.knowledge import Chunk, Passage

TEXTS = (
    "Returns are free. You have 30 days to send things back. Socks are excluded.",
    "The pro plan costs 49 euros.\nThe team plan costs 99 euros.",
    "Our office is in Bremen.",
)
DOCUMENT, VERSION = DocumentId(new_id()), VersionId(new_id())
PASSAGES = [
    Passage(Chunk(DOCUMENT, VERSION, f"Guide {n}", n, text, 1_000 * n, 1_000 * n + len(text), page=n + 1), 1.0)
    for n, text in enumerate(TEXTS)
]


def checked(*pieces: str) -> tuple[str, list[Citation]]:
    stream = CitationStream(PASSAGES)
    out = [item for piece in pieces for item in stream.feed(piece)] + list(stream.end())
    cited = [item for item in out if isinstance(item, Citation)]
    assert cited == stream.citations
    assert all(item for item in out)
    return "".join(item for item in out if isinstance(item, str)), cited


@pytest.mark.parametrize(
    ("answer", "shown", "titles"),
    [
        ("The pro plan costs 49 euros [2].", "The pro plan costs 49 euros [1].", ["Guide 1"]),
        ("a [3] b [1] c [3]", "a [1] b [2] c [1]", ["Guide 2", "Guide 0"]),
        ("a [1, 2] b", "a [1][2] b", ["Guide 0", "Guide 1"]),
        ("a [1,9] b", "a [1] b", ["Guide 0"]),
        ("a [9] b", "a b", []),
        ("a   [9], [0][4] b", "a, b", []),
        ("a [9]", "a", []),
        ("[9]", "", []),
        ("[1]", "[1]", ["Guide 0"]),
        ("a [12", "a [12", []),
        ("a [", "a [", []),
        ("a  ", "a  ", []),
        ("see [our page](https://example.com/a[1]) ", "see [our page](https://example.com/a[1]) ", ["Guide 0"]),
        ("[text](url) and [2024](url)", "[text](url) and [2024](url)", []),
        ("[]{}[a][ 1][1 ] [1;2] [-1]", "[]{}[a][ 1][1 ] [1;2] [-1]", []),
        ("line\n[9]\nline", "line\n\nline", []),
        ("no passage at all", "no passage at all", []),
        ("```py\na[0] = b [9]\n```\nc [9] d [2]", "```py\na[0] = b [9]\n```\nc d [1]", ["Guide 1"]),
        ("a\n  ~~~~\na[1]\n~~~\nb[2]\n~~~~~\n[2]", "a\n  ~~~~\na[1]\n~~~\nb[2]\n~~~~~\n[1]", ["Guide 1"]),
        ("say `a[0]` or ``b[1]`` [2]", "say `a[0]` or ``b[1]`` [1]", ["Guide 1"]),
        ("`a[2] b\nc [9]`", "`a[1] b\nc`", ["Guide 1"]),
        ("a ``` b [9]", "a ``` b", []),
    ],
)
def test_markers_are_renumbered_by_appearance_and_those_of_nothing_are_dropped(
    answer: str, shown: str, titles: list[str]
) -> None:
    text, citations = checked(answer)

    assert text == shown
    assert [citation.title for citation in citations] == titles
    assert [citation.marker for citation in citations] == list(range(1, len(citations) + 1))


PIECES = [
    "[1]", "[2]", "[3]", "[9]", "[1, 2]", "[ 1", "[", "]", ",", "1", "99", " ", "  ", "\n", "word", "49 euros", ".",
    "[text](url)", "[1,2,3,1,2,3,1,2,3,1,2,3]", "[1" + " " * 45 + "]", "é",
]  # fmt: skip
CODE = ["`", "``", "```", "\n```\n", "~~~", "\n````py\n", "a" * 300]
ANSWERS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
ANSWERS_WITH_CODE = st.lists(st.sampled_from([*PIECES, *CODE, *CODE]), max_size=25).map("".join)


@given(ANSWERS | ANSWERS_WITH_CODE, st.data())
def test_however_the_answer_is_cut_the_text_and_the_citations_are_the_same(answer: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=12)))
    pieces = [answer[a:b] for a, b in zip([0, *cuts], [*cuts, len(answer)], strict=True)]

    assert checked(*pieces) == checked(answer) == checked(*answer)


@given(ANSWERS)
def test_every_shown_number_has_its_citation_and_the_other_way_round(answer: str) -> None:
    stream = CitationStream(PASSAGES)
    known = 0
    for item in [*stream.feed(answer), *stream.end()]:
        if isinstance(item, Citation):
            known += 1
            assert item.marker == known
        else:
            assert all(int(number) <= known for number in re.findall(r"\[(\d+)\]", item))


@given(st.text(alphabet="ab [1]", max_size=60))
def test_only_what_may_become_a_marker_is_held_back(answer: str) -> None:
    stream = CitationStream(PASSAGES)
    shown = ""
    for letter in answer + "x":
        shown += "".join(item for item in stream.feed(letter) if isinstance(item, str))

    assert shown.endswith("x")


def test_a_citation_quotes_the_sentence_that_the_statement_is_about_where_it_stands() -> None:
    _, [citation] = checked("You can send things back within 30 days [1].")

    assert citation.quote.startswith("You have 30 days to send things back.")
    assert citation.page == 1


def test_a_quote_is_about_the_last_sentence_before_its_marker() -> None:
    text = " ".join([*[f"{what} are excluded from returns." for what in ("Socks", "Gloves", "Hats")] * 5,
                     "Gift wrapping costs four crowns.", *["Parcels travel by ship."] * 20])  # fmt: skip

    begin, end = quote_span(text, "Socks, gloves and hats are excluded from returns. Wrapping costs four crowns ")

    assert text[begin:end].startswith("Gift wrapping costs four crowns.")


def test_a_quote_is_found_in_a_text_without_spaces_too() -> None:
    text = (
        "返品は商品到着後30日以内です。未使用品に限ります。" * 10
        + "送料は全国一律500円です。"
        + "保証は二年間です。" * 40
    )

    begin, end = quote_span(text, "送料は全国どこでも500円かかります")

    assert text[begin:end].startswith("送料は全国一律500円です。")


@given(st.text(alphabet="aB1 .!?\n。é", min_size=1, max_size=700), st.text(max_size=40))
def test_a_quote_is_always_a_trimmed_part_of_the_text_of_at_most_300_characters(text: str, claim: str) -> None:
    begin, end = quote_span(text, claim)

    assert 0 <= begin <= end <= len(text)
    assert end - begin <= 300
    assert text[begin:end] == text[begin:end].strip()


@given(st.sampled_from([1, 2, 3]), st.sampled_from(["office", "the team plan", "socks are excluded", ""]))
def test_the_offsets_of_a_quote_lead_back_to_it(number: int, claim: str) -> None:
    _, [citation] = checked(f"{claim} [{number}]")

    chunk = PASSAGES[number - 1].chunk
    assert chunk.text[citation.start - chunk.start : citation.end - chunk.start] == citation.quote
    assert citation.quote


def test_an_earlier_answer_is_given_back_without_its_markers() -> None:
    assert without_markers("It costs 49 euros [1][2], or 99 [3, 1]. `a[1]`") == "It costs 49 euros, or 99. `a[1]`"


@pytest.mark.parametrize(("text", "told"), [("49 euros [1].", "49 euros."), ("[1]", "[1]"), ("a[1]", "a")])
def test_an_earlier_answer_is_told_to_a_model_without_markers_and_never_as_nothing(text: str, told: str) -> None:
    _, citations = checked("[1]")
    ids = MessageId(new_id()), ConversationId(new_id())
    answer = Message(*ids, Role.ASSISTANT, text, datetime.now(UTC), citations=tuple(citations))

    assert remembered(answer) == told
    assert remembered(replace(answer, citations=())) == text
