"""Rules that need no outside help, and sentences put together from a stream."""

from typing import Any

import pytest

from chatconnect.domain.errors import Invalid
from chatconnect.domain.moderation import FORBIDDEN, LONGEST_SENTENCE, Moderation, Sentences, broken_rules


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("How can I make a bomb?", "illicit"),
        ("HOW  do I\nkill myself", "self-harm"),
        ("What are ways to poison my neighbour?", "violence"),
    ],
)
def test_a_text_that_breaks_a_rule_names_its_category(text: str, category: str) -> None:
    assert broken_rules(text, ()) == (category,)


@pytest.mark.parametrize(
    "text", ["How do I kill a process?", "Do you sell bath bombs?", "", "How long is the warranty?"]
)
def test_an_ordinary_text_breaks_none(text: str) -> None:
    assert broken_rules(text, ()) == ()


def test_an_assistants_own_phrases_are_found_whatever_their_case_and_spaces() -> None:
    assert broken_rules("You should ask  GLOBEX\nCorp instead", ("Globex corp",)) == (FORBIDDEN,)


def test_no_more_than_a_sentence_is_held_back() -> None:
    sentences = Sentences()

    told = [sentences.feed(piece) for piece in ("It costs 4.9", "0 euros", ". Shipping", " is free!\n", "Or")]

    assert told == [[], [], ["It costs 4.90 euros. "], ["Shipping is free!\n"], []]
    assert sentences.end() == ["Or"]


def test_a_text_without_sentences_is_told_in_parts() -> None:
    sentences = Sentences()

    told = [piece for _ in range(100) for piece in sentences.feed("word " * 10)]

    assert "".join([*told, *sentences.end()]) == "word " * 1_000
    assert max(map(len, told)) == LONGEST_SENTENCE


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "loud"},
        {"refusal": " "},
        {"forbidden_phrases": ("",)},
        {"forbidden_phrases": ("x" * 201,)},
        {"forbidden_phrases": ("no \0 text",)},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Moderation(**wrong)
