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
FAR = [(a_chunk(f"the tyre {n} is made of rubber and has to be pumped up for spring " * 4), 0.0) for n in range(8)]


def test_what_both_parts_find_comes_first_and_each_says_why() -> None:
    meant = [(MEANT, 0.7), (BOTH, 0.6), (a_chunk("tyres"), 0.1)]

    found = fused("warranty frame", meant, [(WORDED, 9.0), (BOTH, 8.0)], threshold=0.25, limit=5)

    assert [p.chunk for p in found] == [BOTH, WORDED, MEANT]
    assert [p.match for p in found] == [
        Match(dense_rank=2, dense_score=0.6, sparse_rank=2, sparse_score=8.0),
        Match(sparse_rank=1, sparse_score=9.0),
        Match(dense_rank=1, dense_score=0.7),
    ]
    assert [p.similarity for p in found] == [0.6, None, 0.7]


def test_no_more_come_than_asked_for() -> None:
    assert len(fused("warranty", [(MEANT, 0.7), (BOTH, 0.6)], [], threshold=0.25, limit=1)) == 1


@pytest.mark.parametrize(
    ("question", "answers"),
    [
        ("warranty frame", True),
        ("what is the warranty of a frame", True),
        ("error 4711", True),
        ("error 4712", False),
        ("how do I bake sourdough bread in an oven", False),
        ("what are the costs of the delivery", False),
    ],
)
def test_what_is_no_closer_than_the_rest_answers_only_by_its_words(question: str, answers: bool) -> None:
    found = fused(question, [(WORDED, 0.0), *FAR], [(WORDED, 3.0)], threshold=0.25, limit=5)

    assert bool(found) is answers


def test_relevance_is_the_same_whatever_the_cosines_of_a_model_start_from() -> None:
    def found(start: float) -> list[Passage]:
        meant = [(chunk, start + (1 - start) * cosine) for chunk, cosine in [(MEANT, 0.6), (BOTH, 0.3), *FAR]]
        return fused("the frame breaks, what now", meant, [(BOTH, 3.0)], threshold=0.25, limit=5)

    usual, far_from_zero = found(0.0), found(0.7)

    assert [passage.chunk for passage in usual] == [BOTH, MEANT]
    assert [passage.chunk for passage in far_from_zero] == [BOTH, MEANT]
    assert [p.score for p in far_from_zero] == pytest.approx([p.score for p in usual])


def test_what_is_much_closer_than_the_rest_answers_without_a_word_in_common() -> None:
    assert fused("covered for how long", [(MEANT, 0.6), *FAR], [], threshold=0.25, limit=5)
    assert not fused("covered for how long", [(MEANT, 0.2), *FAR], [], threshold=0.25, limit=5)


@pytest.mark.parametrize("question", ["Wie lange gilt die Garantie?", "какая гарантия", "保修多久?"])
def test_a_question_in_another_language_needs_no_words_of_the_passage(question: str) -> None:
    own = fused("covered for how long", [(MEANT, 0.35), *FAR], [], threshold=0.25, limit=5)

    assert fused(question, [(BOTH, 0.35), *FAR], [], threshold=0.25, limit=5)
    assert not own
    assert not fused(question, [(BOTH, 0.1), *FAR], [], threshold=0.25, limit=5)


def test_nothing_found_is_nothing() -> None:
    assert fused("x", [], [], threshold=0.0, limit=5) == []


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
