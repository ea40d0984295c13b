"""Which questions need what was said before, and what stands in for a model."""

import pytest

from chatconnect.domain.follow_ups import merged, stands_alone


@pytest.mark.parametrize(
    "question",
    [
        "What does the Touring 500 cost?",
        "Can I return a bicycle that I have already ridden?",
        "How long is the warranty on the frame?",
        "Welche Garantie hat der Rahmen?",
        "Quelle est la garantie du cadre?",
        "自転車のフレームの保証期間はどのくらいですか",
        "退货需要在收到商品后的多少天之内提出",
        "자전거 프레임의 보증 기간은 얼마입니까",
    ],
)
def test_a_question_that_names_its_subject_stands_alone(question: str) -> None:
    assert stands_alone(question)


@pytest.mark.parametrize(
    "question",
    ["And for the pro plan?", "How much is it?", "How long?", "Und wie lange?",
     "Et le prix?", "¿Y cuánto cuesta?", "why",
     "いくらですか", "?", "それはどこで行われますか？", "その場合の送料はいくらになりますか？",
     "那它的保修期是多长时间呢？", "그것은 언제 도착합니까?", "มันใช้เวลากี่วันกว่าจะถึง"],
)  # fmt: skip
def test_a_question_that_points_back_does_not(question: str) -> None:
    assert not stands_alone(question)


def test_what_earlier_questions_were_about_is_added_as_far_as_the_last_full_one() -> None:
    earlier = ["Where is your shop in Oslo?", "What does the Touring 500 cost?", "And the warranty?"]

    assert merged("How long?", earlier) == "How long? warranty Touring 500"
    assert merged("How long?", []) == "How long?"
