"""Patterns that a company forbids."""

import time

import pytest

from chatconnect.domain.errors import Invalid
from chatconnect.domain.input_rules import ForbiddenPatterns
from chatconnect.domain.moderation import FORBIDDEN, FORBIDDEN_PATTERN, Moderation, broken_rules

CARD = r"\b\d{4}([ -]?\d{4}){3}\b"


def occurs(pattern: str, text: str) -> bool:
    return ForbiddenPatterns([pattern]).occur_in(text)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\bass\b", "what an ass", True),
        (r"\bass\b", "a class of its own", False),
        (CARD, "my card is 4111 1111-11111111.", True),
        (CARD, "4111 1111 1111", False),
        (CARD, "94111111111111111", False),
        ("Straße", "in the strasse", True),
        ("[A-C]x?y", "by", True),
        ("[^a-z ]", "abc def", False),
        (r"[\d_]{2}", "a_1", True),
        ("(foo|ba+r){2}", "xfoobaaar", True),
        ("(foo|ba+r){2}", "foo bar", False),
        (r"a.{1,3}b", "a123b", True),
        (r"a.{1,3}b", "a1234b", False),
        (r"c\+\+", "i know c++", True),
        (r"\D\W\S", "a-b", True),
    ],
)
def test_a_pattern_is_found_where_it_stands(pattern: str, text: str, expected: bool) -> None:
    assert occurs(pattern, text) is expected


@pytest.mark.parametrize(
    "pattern",
    ["", " ", "a**", "(a", "a)", "[", "[]", "a{101}", "((a{100}){100})", r"\1", "(?=a)", "a*", "a|", "^a", "{2}",
     "a{x}", "a{3,2}", "[z-a]", "a" * 201, "\\", r"\q", "a{2", r"\b", "a\0"],
)  # fmt: skip
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Moderation(forbidden_patterns=(pattern,))

    assert refusal.value.code == "invalid_pattern"
    assert refusal.value.details == {"field": "moderation.forbidden_patterns"}


@pytest.mark.parametrize("pattern", ["(a+)+(a+)+b", "(a|a|a)*b", "(.*)*(.*)*x", "(a?){50}a{50}b", r"(\w+\s?)*!"])
def test_no_pattern_takes_more_time_than_its_text_is_long(pattern: str) -> None:
    patterns, began = ForbiddenPatterns([pattern]), time.process_time()

    found = patterns.occur_in("a" * 2_000)

    assert not found
    assert time.process_time() - began < 1.0  # one that tries again takes years


def test_too_many_patterns_are_refused() -> None:
    with pytest.raises(Invalid):
        ForbiddenPatterns([f"word{number}" for number in range(21)])


def test_neither_wide_letters_nor_unseen_characters_hide_a_word() -> None:
    for text in ("GLOBEX", "Ｇｌｏｂｅｘ", "glo\u200bbex", "Glo\u00adbex"):
        assert broken_rules(text, ("Globex",), (r"\bglobex\b",)) == (FORBIDDEN, FORBIDDEN_PATTERN)
    assert broken_rules("Initech", ("Globex",), ("globex",)) == ()
