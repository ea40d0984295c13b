"""The questions that measure the search: many, of all kinds, and with answers that are really there."""

from collections import Counter

import pytest

from bench.questions import LANGUAGES, NEAR, OFF, AskedQuestion, File, handbooks, parsed, quality_set

TEMPLATES = quality_set()
KNOWN, UNSEEN = handbooks("handbooks", held_out=False), handbooks("unseen_handbooks", held_out=True)


@pytest.mark.parametrize(("files", "questions"), [TEMPLATES, KNOWN, UNSEEN], ids=["templates", "known", "unseen"])
def test_every_question_has_its_answer_in_a_document_or_none_at_all(
    files: list[File], questions: list[AskedQuestion]
) -> None:
    texts = ["".join(parsed(file).text.split()) for file in files]

    for question in questions:
        assert (question.kind in (NEAR, OFF)) == (question.answer is None)
        if question.answer is not None:
            assert any("".join(question.answer.split()) in text for text in texts), question.text


def test_there_are_many_questions_in_each_language_and_those_on_every_other_document_are_held_out() -> None:
    files, questions = TEMPLATES

    languages = Counter(question.language for question in questions if question.answer)

    assert set(languages) == set(LANGUAGES)
    assert languages.total() >= 200
    assert {file.name.rpartition(".")[2] for file in files} == {"txt", "md", "html", "csv", "docx", "pdf"}
    assert 0.4 < sum(question.held_out for question in questions) / len(questions) < 0.6


def test_what_is_held_out_has_questions_of_many_styles_and_of_both_kinds_without_an_answer() -> None:
    kinds = Counter(question.kind for question in UNSEEN[1])

    assert kinds.total() - kinds[NEAR] - kinds[OFF] >= 60
    assert kinds.keys() >= {
        "typo",
        "keywords",
        "chatty",
        "negation",
        "mixed",
        "code",
        "number",
        "inflected",
        "compound",
    }
    assert min(kinds[NEAR], kinds[OFF]) >= 15
    assert not {question.text for question in UNSEEN[1]} & {question.text for question in KNOWN[1]}


def test_the_set_is_always_the_same() -> None:
    assert quality_set()[1] == TEMPLATES[1]
