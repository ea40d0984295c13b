"""Which answers may be given again, and which questions are the same."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.domain.assistant import AssistantConfig
from chatconnect.domain.context import PromptContext
from chatconnect.domain.conversation import MessageStatus, Turn, Usage
from chatconnect.domain.given_answer import given_answer, normalised
from chatconnect.domain.identifiers import MessageId, TenantId, new_id
from tests.factories import a_chunk, a_conversation, a_document, a_tenant, a_turn, answered

CONFIG = AssistantConfig(name="Ada", provider="offline", model="quotes")
CHUNK = a_chunk(a_document(TenantId(new_id())).newest)


def an_ended_turn(**answer: Any) -> Turn:
    new = a_tenant()
    turn = answered(a_turn(a_conversation(new.tenant.id, new.assistant.id)))
    return replace(
        turn, answer=replace(turn.answer, **answer), context=PromptContext("Acme", "query", passages=(CHUNK, CHUNK))
    )


def test_a_whole_answer_may_be_given_again_with_what_it_stands_on() -> None:
    turn = an_ended_turn()

    answer = given_answer(turn, CONFIG, called_tools=False)

    assert answer is not None
    assert (answer.text, answer.citations) == (turn.answer.text, turn.answer.citations)
    assert answer.versions == {CHUNK.version_id}


@pytest.mark.parametrize(
    "changes",
    [
        {"finish_reason": "refused"},
        {"finish_reason": "length"},
        {"finish_reason": "filtered"},
        {"finish_reason": "cancelled", "status": MessageStatus.PARTIAL},
        {"finish_reason": "error", "status": MessageStatus.FAILED, "error_code": "provider_failed"},
        {"text": " \n"},
        {"provider": "openai"},
        {"model": "another"},
        {"usage": Usage(from_cache=True)},
    ],
)
def test_what_is_not_whole_or_not_the_assistants_own_is_not_given_again(changes: dict[str, Any]) -> None:
    assert given_answer(an_ended_turn(**changes), CONFIG, called_tools=False) is None


def test_what_a_tool_had_part_in_is_not_given_again() -> None:
    assert given_answer(an_ended_turn(), CONFIG, called_tools=True) is None


def test_what_something_was_said_before_is_not_given_again() -> None:
    turn = an_ended_turn()
    context = PromptContext("Acme", "query", history=(MessageId(new_id()),))

    assert given_answer(replace(turn, context=context), CONFIG, called_tools=False) is None
    assert given_answer(replace(turn, context=None), CONFIG, called_tools=False) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What does it cost?", "  what DOES\n it\tcost? "),
        ("Straße", "STRASSE"),
        ("Café", "Cafe\u0301"),
        ("ﬁne", "FINE"),
        ("Price？", "price?"),
    ],
)
def test_letter_case_spaces_and_forms_of_characters_make_no_other_question(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Is it?", "Is it"), ("4711", "4712"), ("cafe", "café"), ("a b", "ab"), ("не", "нет")]
)
def test_another_word_or_sign_makes_another_question(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@given(st.text())
def test_what_is_normalised_stays_so(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
