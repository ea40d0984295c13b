"""What goes along with the next question, and when a summary is due."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.domain.conversation import Message, Role
from chatconnect.domain.identifiers import ConversationId, MessageId, new_id
from chatconnect.domain.memory import (
    LONGEST_SUMMARY,
    Summary,
    extract,
    history_budget,
    recollected,
    to_summarise,
)
from chatconnect.domain.windows import UNKNOWN_MODEL, ContextWindows
from tests.factories import NOON, seconds
from tests.fakes.models import words

CONVERSATION = ConversationId(new_id())


def a_branch(turns: int, length: int = 10) -> list[Message]:
    roles = (Role.USER, Role.ASSISTANT)
    return [
        Message(MessageId(new_id()), CONVERSATION, roles[n % 2], f"{n} " + "word " * (length - 1), seconds(n))
        for n in range(2 * turns)
    ]


@given(turns=st.integers(0, 12), messages=st.integers(0, 30), budget=st.integers(0, 500))
def test_whole_turns_are_kept_newest_first_and_never_more_than_fits(turns: int, messages: int, budget: int) -> None:
    branch = a_branch(turns)

    recollection = recollected(branch, messages=messages, budget=budget, count_tokens=words)

    kept = recollection.kept
    assert (*recollection.fallen, *kept) == tuple(branch)
    assert len(kept) <= messages
    assert sum(words(message.text) + 8 for message in kept) <= budget
    assert not kept or kept[0].role is Role.USER
    if recollection.fallen and len(kept) + 2 <= messages:
        assert sum(words(message.text) + 8 for message in branch[-len(kept) - 2 :]) > budget


def test_nothing_is_counted_where_all_of_it_fits_by_its_bytes() -> None:
    def never(text: str) -> int:
        raise AssertionError(text)

    assert len(recollected(a_branch(3), messages=20, budget=10_000, count_tokens=never).kept) == 6


def test_a_summary_is_due_when_something_falls_out_that_it_does_not_cover() -> None:
    branch = a_branch(12)

    first = to_summarise(branch, None, messages=8, fallen=16)
    summary = Summary(CONVERSATION, first[-1].id, "short", "model", NOON)

    assert [message.id for message in first] == [message.id for message in branch[:20]]  # some turns ahead
    assert to_summarise(branch, summary, messages=8, fallen=18) == ()
    later = to_summarise([*branch, *a_branch(4)], summary, messages=8, fallen=24)
    assert later[0].id == branch[20].id
    assert to_summarise(branch, None, messages=0, fallen=24) == ()
    assert to_summarise(branch, None, messages=8, fallen=0) == ()


def test_a_summary_without_a_model_keeps_the_latest_and_stays_short() -> None:
    text = ""
    for _ in range(5):
        text = extract(text, a_branch(4, length=80))

    assert len(text) <= LONGEST_SUMMARY
    assert text.split("\n")[-1].startswith("Assistant: 7 word")


@pytest.mark.parametrize(
    ("provider", "model", "day", "tokens"),
    [
        ("openai", "gpt-4o-mini", date(2026, 1, 1), 128_000),
        ("openai", "gpt-4o-mini-2024-07-18", date(2026, 1, 1), 128_000),
        ("openai", "gpt-4o-mini", date(2023, 1, 1), UNKNOWN_MODEL),
        ("anthropic", "claude-sonnet-4-5-20250929", date(2026, 1, 1), 200_000),
        ("openai", "llama3", date(2026, 1, 1), UNKNOWN_MODEL),
    ],
)
def test_each_model_has_the_window_that_its_provider_published(
    provider: str, model: str, day: date, tokens: int
) -> None:
    assert ContextWindows.published().tokens(provider, model, day) == tokens


def test_a_prompt_that_leaves_nothing_leaves_no_history() -> None:
    assert history_budget(8_192, answer=800, prompt=1_000) == 5_982
    assert history_budget(8_192, answer=8_000, prompt=1_000) == 0
