"""The terms of questions and documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.domain.terms import is_code, searched_terms, stored_terms, telling, terms, terms_among


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Opening hours", ["opening", "hour"]),
        ("RÜCKGABE Straße", ["ruckgabe", "strasse"]),
        ("ﬁne ＡＢＣ", ["fine", "abc"]),
        ("l'été", ["l", "ete"]),
        ("access focus", ["access", "focus"]),
        ("E-4711", ["e", "4711", "e4711"]),
        ("ab.12/x", ["ab", "12", "x", "ab12x"]),
        ("1.5", ["1", "5", "1.5"]),
        ("6,50", ["6", "50", "6,50", "6.5"]),
        ("1,250.00", ["1", "250", "00", "1,250.00", "1250"]),
        ("3 000", ["3", "000", "3000"]),
        ("0800 55 41 20", ["0800", "55", "41", "20", "0800554120"]),
        ("kłódka smørrebrød", ["klodka", "smorrebrod"]),
        ("والبطاقة الفروع", ["بطاقه", "فروع"]),
        ("state-of-the-art", ["state", "of", "the", "art"]),
        ("C++ and C#", ["c", "c++", "and", "c", "c#"]),
        ("退货政策", ["退货", "货政", "政策"]),
        ("茶", ["茶"]),
        ("がぎ", ["がぎ"]),
        ("반품", ["반품"]),
        ("สวัสดี", ["สว", "วั", "ัส", "สด", "ดี"]),
        ("型号E4711的", ["型号", "e", "4711", "e4711", "的"]),
        ("", []),
        ("?! …", []),
    ],
)
def test_a_text_is_taken_apart_into_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_ways_to_write_one_code_meet() -> None:
    for written in ("E-4711", "e4711", "E_4711", "Ｅ４７１１", "e.4711"):
        assert "e4711" in terms(f"error {written}.")


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("Kündigungsfrist", "Mieter kündigen schriftlich."),
        ("Mietkaution", "Die Kaution beträgt drei Mieten."),
        ("réservation", "Les groupes réservent à l'avance."),
        ("скидка", "Учителя получают скидку."),
        ("brekfast", "Breakfast is served at seven."),
        ("Sperrmuell", "Sperrmüll wird abgeholt."),
        ("1250", "It costs 1,250.00 a year."),
        ("0307781204", "Call 030 7781-204 at night."),
    ],
)
def test_a_word_is_found_in_another_form_and_a_number_however_it_is_written(asked: str, text: str) -> None:
    assert searched_terms(asked).keys() & set(stored_terms(text))


def test_the_whole_word_counts_more_than_its_beginning_or_end() -> None:
    assert searched_terms("the Workshop") == {"workshop": 1.0, "work~": 0.5, "~kshop": 0.5}


def test_half_width_and_full_width_katakana_are_the_same() -> None:
    assert terms("ﾊﾞｯﾃﾘ") == terms("バッテリ")


@given(st.text())
def test_any_text_has_terms_that_hold_no_white_space(text: str) -> None:
    assert not any(character.isspace() for term in terms(text) for character in term)
    assert all(terms(text))


@given(st.text(), st.text())
def test_the_terms_among_are_those_of_the_text(asked: str, text: str) -> None:
    wanted = frozenset(terms(asked))

    assert terms_among(wanted, text) == wanted & set(terms(text))


def test_empty_words_tell_nothing() -> None:
    assert telling(frozenset(terms("What is the warranty of the frame?"))) == {"warranty", "frame"}
    assert telling(frozenset(terms("Was kostet die Garantie für mich?"))) == {"kostet", "garantie"}
    assert telling(frozenset(terms("¿Cuál es la garantía?"))) == {"garantia"}


@pytest.mark.parametrize(("term", "code"), [("e4711", True), ("49", True), ("7", False), ("error", False)])
def test_a_code_has_a_digit_and_more(term: str, code: bool) -> None:
    assert is_code(term) is code
