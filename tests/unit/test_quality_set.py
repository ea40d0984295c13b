"""The questions that measure the search: many, of all kinds, and with answers that are really there."""

from collections import Counter

from bench.questions import LANGUAGES, parsed, quality_set


def test_every_question_has_its_answer_in_a_document_or_none_at_all() -> None:
    files, questions = quality_set()
    texts = ["".join(parsed(file).text.split()) for file in files]

    for question in questions:
        assert (question.kind == "no answer") == (question.answer is None)
        if question.answer is not None:
            assert any("".join(question.answer.split()) in text for text in texts), question.text


def test_there_are_many_questions_in_each_language_of_each_kind_and_half_are_held_out() -> None:
    files, questions = quality_set()

    languages = Counter(question.language for question in questions if question.answer)

    assert set(languages) == set(LANGUAGES)
    assert languages.total() >= 200
    assert {file.name.rpartition(".")[2] for file in files} == {"txt", "md", "html", "csv", "docx", "pdf"}
    assert sum(question.held_out for question in questions) * 2 == len(questions)


def test_the_set_is_always_the_same() -> None:
    assert quality_set()[1] == quality_set()[1]
