"""How long data is kept, and when it is looked for again."""

from datetime import timedelta

import pytest

from chatconnect.domain.data_rights import MAX_DAYS, Retention, looked_at_again
from chatconnect.domain.errors import Invalid
from tests.factories import NOON


@pytest.mark.parametrize("days", [0, -1, MAX_DAYS + 1])
def test_a_period_is_of_a_day_to_ten_years(days: int) -> None:
    with pytest.raises(Invalid):
        Retention(conversation_days=days)
    with pytest.raises(Invalid):
        Retention(audit_days=days)


def test_without_a_period_data_is_kept_for_ever() -> None:
    assert Retention() == Retention(conversation_days=None, audit_days=None)


def test_what_was_erased_is_looked_for_again_until_no_message_can_be_left_in_a_queue() -> None:
    moments, at = [], NOON
    while (following := looked_at_again(NOON, at)) is not None:
        moments.append(following - NOON)
        at = following

    assert moments == [timedelta(minutes=10), timedelta(days=1), timedelta(days=5), timedelta(days=20)]
