from datetime import UTC, datetime

import pytest

from chatconnect.domain.budget import HIGHEST_CAP, Cap, Measure, Period, lowest, waiting_seconds
from chatconnect.domain.errors import Invalid
from chatconnect.domain.tenant import Plan

NOON = datetime(2026, 12, 14, 12, 0, tzinfo=UTC)
DAILY = Measure.TOKENS, Period.DAY


def test_a_warning_comes_at_four_fifths_unless_asked_for_elsewhere() -> None:
    assert Cap(*DAILY, 1_000).soft == 800
    assert Cap(*DAILY, 1).soft == 1
    assert Cap(*DAILY, 1_000, 10).soft == 10


@pytest.mark.parametrize(
    ("hard", "warns_from"), [(0, None), (-1, None), (HIGHEST_CAP + 1, None), (10, 11), (10, 0), (10, -1)]
)
def test_a_cap_that_caps_nothing_or_warns_too_late_is_refused(hard: int, warns_from: int | None) -> None:
    with pytest.raises(Invalid):
        Cap(*DAILY, hard, warns_from)


def test_of_two_caps_the_lower_holds_and_the_earlier_warning() -> None:
    monthly = Cap(Measure.TOKENS, Period.MONTH, 5_000)

    assert lowest([Cap(*DAILY, 1_000), monthly, Cap(*DAILY, 400)]) == (Cap(*DAILY, 400), monthly)
    assert lowest([Cap(*DAILY, 1_000), Cap(*DAILY, 2_000, 100)]) == (Cap(*DAILY, 1_000, 100),)
    assert lowest([Cap(*DAILY, 2_000, 1_900), Cap(*DAILY, 1_000)]) == (Cap(*DAILY, 1_000, 1_000),)
    assert lowest([]) == ()


def test_a_tenant_is_held_by_its_own_caps_and_its_plans() -> None:
    own = (Cap(Measure.MONEY, Period.DAY, 70), Cap(Measure.TOKENS, Period.DAY, 10))
    plan = Plan("free", 100, "openai", "gpt-5-mini", messages_per_day=5, tokens_per_day=50, own_caps=own)

    assert plan.limits == (Cap(Measure.MESSAGES, Period.DAY, 5), Cap(Measure.TOKENS, Period.DAY, 50))
    assert plan.caps == (Cap(Measure.MESSAGES, Period.DAY, 5), own[1], own[0])


@pytest.mark.parametrize(
    ("code", "seconds"),
    [
        ("tokens_per_day_reached", 12 * 3600),
        ("money_per_month_reached", 17 * 24 * 3600 + 12 * 3600),
        ("messages_per_minute_reached", 60),
        ("provider_busy", None),
        ("tokens_per_year_reached", None),
        ("tokens_per_day", None),
    ],
)
def test_a_code_says_how_long_to_wait(code: str, seconds: float | None) -> None:
    assert waiting_seconds(code, NOON) == seconds
