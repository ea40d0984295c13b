"""One ranking of two, and each text once."""

import pytest

from chatconnect.domain.fusion import fused, matched_terms, without_duplicates
from chatconnect.domain.identifiers import DocumentId, VersionId, new_id
from chatconnect.domain.knowledge import Chunk, Match, Passage
from chatconnect.domain.terms import terms


def a_chunk(text: str, position: int = 0, version: VersionId | None = None) -> Chunk:
    version = version or VersionId(new_id())
    return Chunk(DocumentId(new_id()), version, "Guide", position, text, 0, len(text), headings=("Plans",))


def asked(question: str) -> frozenset[str]:
    return frozenset(terms(question))


BOTH, MEANT, WORDED = a_chunk("the warranty of the frame"), a_chunk("a guarantee"), a_chunk("warranty frame 4711")


def test_what_both_parts_find_comes_first_and_each_says_why() -> None:
    question = asked("warranty frame")

    meant = [(MEANT, 0.7), (BOTH, 0.6), (a_chunk("tyres"), 0.1)]

    found = fused(question, meant, [(WORDED, 9.0), (BOTH, 8.0)], threshold=0.5, limit=5)

    assert [p.chunk for p in found] == [BOTH, WORDED, MEANT]
    assert [p.match for p in found] == [
        Match(dense_rank=2, dense_score=0.6, sparse_rank=2, sparse_score=8.0),
        Match(sparse_rank=1, sparse_score=9.0),
        Match(dense_rank=1, dense_score=0.7),
    ]
    assert [p.similarity for p in found] == [0.6, None, 0.7]


def test_no_more_come_than_asked_for() -> None:
    assert len(fused(asked("warranty"), [(MEANT, 0.7), (BOTH, 0.6)], [], threshold=0.5, limit=1)) == 1


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("warranty frame", True),
        ("what is the warranty of a frame", True),
        ("error 4711 again please tell", True),
        ("how do I bake bread with a frame", False),
        ("the of a", False),
    ],
)
def test_below_the_threshold_only_a_code_or_most_telling_words_answer(question: str, answers: bool) -> None:
    found = fused(asked(question), [(WORDED, 0.2)], [(WORDED, 3.0)], threshold=0.5, limit=5)

    assert bool(found) is answers


def test_nothing_found_is_nothing() -> None:
    assert fused(asked("x"), [], [], threshold=0.0, limit=5) == []


def test_title_and_headings_match_too() -> None:
    assert matched_terms(asked("guide to plans and frames"), BOTH) == {"guide", "plan", "frame"}


LONG = " ".join(f"word{letter}{other}" for letter in "abcdefghij" for other in "klmnopq")


def passages(*texts: str) -> list[Passage]:
    return [Passage(a_chunk(text), 1.0 - number / 10) for number, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("other", "kept"),
    [
        (LONG, 1),
        (LONG + ".", 1),
        (LONG.replace("wordja ", ""), 1),
        (LONG + " 2024", 2),
        (LONG[: len(LONG) // 2], 2),
        (LONG.replace("worda", "other"), 2),
    ],
    ids=["same", "a point more", "nearly", "a number more", "half", "ten words"],
)
def test_a_text_that_another_document_has_too_comes_once(other: str, kept: int) -> None:
    found = passages(LONG, other)

    assert without_duplicates(list(reversed(found))) == found[:kept]


def test_texts_without_spaces_are_compared_too() -> None:
    text = "退货政策规定客户可以在十四天之内把没有使用过的商品退回商店并且得到全部的货款请保留原来的包装和发票" * 3

    assert len(without_duplicates(passages(text, text + "。"))) == 1


def test_lines_that_differ_in_a_number_both_stay() -> None:
    assert len(without_duplicates(passages(LONG + " costs 49", LONG + " costs 59"))) == 2


def test_one_document_may_say_a_thing_twice() -> None:
    version = VersionId(new_id())
    twice = [Passage(a_chunk(LONG, position, version), 1.0) for position in (0, 7)]

    assert len(without_duplicates(twice)) == 2
