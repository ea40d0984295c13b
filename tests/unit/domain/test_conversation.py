"""Messages, metadata, feedback, and who may speak in a conversation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.domain.conversation import Conversation, Feedback, State, checked_message, checked_metadata
from chatconnect.domain.errors import Conflict, Invalid
from chatconnect.domain.identifiers import AssistantId, TenantId, new_id
from tests.factories import a_conversation

ALLOWED = {
    (State.ACTIVE, State.PAUSED),
    (State.ACTIVE, State.HANDED_OVER),
    (State.ACTIVE, State.ARCHIVED),
    (State.PAUSED, State.ACTIVE),
    (State.PAUSED, State.ARCHIVED),
    (State.HANDED_OVER, State.ACTIVE),
    (State.HANDED_OVER, State.ARCHIVED),
    (State.ARCHIVED, State.ACTIVE),
}


def conversation(state: State = State.ACTIVE) -> Conversation:
    return a_conversation(TenantId(new_id()), AssistantId(new_id()), state=state)


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_a_conversation_moves_as_the_table_says_and_no_other_way(before: State, after: State) -> None:
    start = conversation(before)

    if (before, after) in ALLOWED:
        assert start.moved_to(after).state is after
        assert start.state is before
    else:
        with pytest.raises(Conflict):
            start.moved_to(after)


@pytest.mark.parametrize(
    ("state", "code"), [(State.ARCHIVED, "conversation_archived"), (State.PAUSED, "conversation_paused")]
)
def test_an_archived_or_paused_conversation_takes_no_messages(state: State, code: str) -> None:
    with pytest.raises(Conflict) as refused:
        conversation(state).check_takes_messages()

    assert refused.value.code == code


@pytest.mark.parametrize("state", [State.ACTIVE, State.HANDED_OVER])
def test_an_active_or_handed_over_conversation_takes_messages(state: State) -> None:
    conversation(state).check_takes_messages()


@pytest.mark.parametrize("length", [1, 2_000])
def test_a_message_of_one_to_two_thousand_characters_is_taken(length: int) -> None:
    assert checked_message("é" * length) == "é" * length


@pytest.mark.parametrize(
    "text", ["", "   \n\t ", "\x00\x1b", "\u202e\u2066", "\u200b\u200b", "\ufeff", "\u2060 \u200d", "\ud800"]
)
def test_a_message_without_anything_to_read_is_empty(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_message(text)

    assert refused.value.code == "empty_message"


def test_a_message_of_2001_characters_is_too_long_and_says_by_how_much() -> None:
    with pytest.raises(Invalid) as refused:
        checked_message("a" * 2_001)

    assert refused.value.code == "message_too_long"
    assert refused.value.details == {"field": "message", "length": 2_001, "longest": 2_000}


def test_the_length_is_that_of_what_is_stored() -> None:
    assert checked_message("  \x00" + "a" * 2_000 + "\x1b\n") == "a" * 2_000


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\x00b\x1b[31mc\x7f\x85", "ab[31mc"),
        ("pay \u202eeurt\u202c me", "pay eurt me"),
        ("\u2066hidden\u2069", "hidden"),
        ("hi\U000e0041\U000e007f", "hi"),  # tag characters, which smuggle instructions
        ("lone \ud83d surrogate", "lone  surrogate"),
        ("one\r\ntwo\rthree\n\tfour", "one\ntwo\nthree\n\tfour"),
    ],
)
def test_what_could_hide_reorder_or_break_text_is_taken_out(text: str, stored: str) -> None:
    assert checked_message(text) == stored


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👩‍👧‍👦 👍🏽 🇩🇪",
        "e\u0301 n\u0303",
        "שלום \u200fעולם",
        "नमस्ते",
        "می\u200cخواهم",
        "日本語。",
        "<script>alert(1)</script>",
    ],
)
def test_every_script_and_emoji_survives(text: str) -> None:
    assert checked_message(text) == text


@given(st.text(max_size=300))
def test_checking_twice_changes_nothing_more(text: str) -> None:
    try:
        once = checked_message(text)
    except Invalid:
        return

    assert checked_message(once) == once
    assert once.encode()  # storable: no surrogate is left
    assert "\0" not in once


def test_metadata_is_cleaned() -> None:
    assert checked_metadata({"pa\x00ge": "/pri\nces\u202e"}) == {"page": "/prices"}


@pytest.mark.parametrize(
    "metadata", [{str(n): "" for n in range(21)}, {"k" * 65: "v"}, {"k": "v" * 501}], ids=["many", "key", "value"]
)
def test_too_much_metadata_is_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        checked_metadata(metadata)


@pytest.mark.parametrize("metadata", [{"": "v"}, {"\x00": "v"}, {"page": "1", "pa\nge": "2"}])
def test_keys_that_are_nothing_or_the_same_when_they_are_cleaned_are_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        checked_metadata(metadata)


def test_metadata_at_its_limits_is_taken() -> None:
    metadata = {f"{n:02}" + "k" * 62: "v" * 500 for n in range(20)}

    assert checked_metadata(metadata) == metadata


def test_feedback_is_up_or_down_and_its_words_can_be_stored() -> None:
    feedback = Feedback("down", reason="wrong\x00", text="a\x00b\nc")

    assert (feedback.reason, feedback.text) == ("wrong", "ab\nc")
    with pytest.raises(Invalid):
        Feedback("sideways")
