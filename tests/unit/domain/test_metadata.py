"""What may be noted about a document, and which documents a filter means."""

from datetime import timedelta
from typing import Any

import pytest

from chatconnect.domain.errors import Invalid
from chatconnect.domain.metadata import Condition, DocumentFilters, Metadata, checked_metadata
from tests.factories import NOON

NOTED: Metadata = {"language": "de", "year": 2025, "price": 9.5, "public": True, "valid": "2026-03-01"}


def test_texts_numbers_and_truth_values_are_kept_as_they_are() -> None:
    assert checked_metadata(NOTED) == NOTED
    assert checked_metadata({}) == {}


@pytest.mark.parametrize(
    "metadata",
    [
        {f"key {n}": n for n in range(33)}, {"": 1}, {"k" * 65: 1}, {"a\0": 1}, {" a": 1}, {"a": "v" * 501},
        {"a": "x\0y"}, {"a": "\ud800"}, {"a": 2**53 + 1}, {"a": -(2**60)}, {"a": float("nan")}, {"a": float("inf")},
    ],
)  # fmt: skip
def test_what_cannot_be_stored_or_is_too_much_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        checked_metadata(metadata)

    assert refused.value.code == "invalid_metadata"
    assert str(refused.value.details["field"]).startswith("metadata")


@pytest.mark.parametrize(
    "condition",
    [
        Condition("language", ("de",)), Condition("language", ("en", "de")), Condition("year", (2025.0,)),
        Condition("public", (True,)), Condition("year", gte=2025), Condition("year", gt=2024, lt=2026),
        Condition("price", lte=9.5), Condition("valid", gte="2026-01-01", lt="2027-01-01"),
    ],
)  # fmt: skip
def test_a_condition_holds_for_a_value_that_is_as_it_says(condition: Condition) -> None:
    assert condition.holds_for(NOTED)


@pytest.mark.parametrize(
    "condition",
    [
        Condition("language", ("en",)), Condition("language", ()), Condition("missing", ("de",)),
        Condition("missing", gt=0), Condition("public", (1,)), Condition("year", (True, "2025")),
        Condition("year", gt=2025), Condition("year", gte=2024, lt=2025), Condition("year", gte="2024"),
        Condition("language", gt=0), Condition("public", gte=0), Condition("valid", lt="2026-03-01"),
    ],
)  # fmt: skip
def test_a_condition_does_not_hold_for_another_value_or_kind_of_value_or_none(condition: Condition) -> None:
    assert not condition.holds_for(NOTED)


@pytest.mark.parametrize(
    "wrong",
    [
        {}, {"any_of": ("x",), "gt": 1}, {"gt": 1, "lt": "2"}, {"gt": True}, {"any_of": tuple(range(101))},
        {"any_of": ("v" * 501,)}, {"gt": float("nan")},
    ],
)  # fmt: skip
def test_a_condition_that_says_nothing_or_two_things_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        Condition("year", **wrong)

    assert refused.value.code == "invalid_metadata"


def test_filters_mean_documents_of_which_all_is_true() -> None:
    day = timedelta(days=1)
    german = Condition("language", ("de",))

    assert DocumentFilters().mean({}, NOON)
    assert DocumentFilters((german,), since=NOON, before=NOON + day).mean(NOTED, NOON)
    assert not DocumentFilters((german, Condition("year", (1999,)))).mean(NOTED, NOON)
    assert not DocumentFilters((german,), before=NOON).mean(NOTED, NOON)
    assert not DocumentFilters(since=NOON).mean(NOTED, NOON - day)


def test_more_conditions_than_ten_are_refused() -> None:
    with pytest.raises(Invalid):
        DocumentFilters(tuple(Condition(f"key{n}", (n,)) for n in range(11)))
