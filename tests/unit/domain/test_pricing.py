"""What an answer costs."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.domain.pricing import Price, PriceTable

COUNTS = st.integers(0, 10_000_000)
WRITING = Price("anthropic", "m", date(2026, 1, 1), 1_000_000, 100_000, 5_000_000, cache_write=1_250_000)
PRICE = Price("openai", "m", date(2026, 1, 1), input=250_000, cached=25_000, output=2_000_000)


def test_a_million_of_each_costs_what_the_table_says() -> None:
    cost = PRICE.of(input_tokens=2_000_000, cached_tokens=1_000_000, output_tokens=1_000_000)

    assert cost == 250_000 + 25_000 + 2_000_000


def test_a_part_of_a_micro_dollar_counts_as_one() -> None:
    assert PRICE.of(input_tokens=1, output_tokens=0) == 1
    assert PRICE.of(input_tokens=4, output_tokens=0) == 1
    assert PRICE.of(input_tokens=5, output_tokens=0) == 2
    assert PRICE.of(input_tokens=0, output_tokens=0) == 0


@given(COUNTS, COUNTS, COUNTS)
def test_cached_tokens_never_cost_more_and_are_never_more_than_the_input(asked: int, out: int, cached: int) -> None:
    cost = PRICE.of(input_tokens=asked, output_tokens=out, cached_tokens=cached)

    assert PRICE.of(input_tokens=asked, output_tokens=out, cached_tokens=asked) <= cost
    assert cost <= PRICE.of(input_tokens=asked, output_tokens=out)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_no_input_costs_more_than_the_dearest(asked: int, out: int, cached: int, written: int) -> None:
    cost = WRITING.of(input_tokens=asked, output_tokens=out, cached_tokens=cached, cache_write_tokens=written)

    assert cost <= WRITING.of(input_tokens=asked, output_tokens=out, cache_write_tokens=asked)
    assert WRITING.of(input_tokens=asked, output_tokens=0, cache_write_tokens=asked) == -(
        -asked * WRITING.dearest_input // 1_000_000
    )


def test_what_is_put_into_the_cache_has_its_own_price() -> None:
    cost = WRITING.of(
        input_tokens=3_000_000, cached_tokens=1_000_000, cache_write_tokens=1_000_000, output_tokens=1_000_000
    )

    assert cost == 1_000_000 + 100_000 + 1_250_000 + 5_000_000
    assert PRICE.of(input_tokens=1_000_000, cache_write_tokens=1_000_000, output_tokens=0) == 250_000


def test_anthropics_published_cache_prices_are_a_quarter_more_and_a_tenth() -> None:
    table = PriceTable.published()

    for model in ("claude-sonnet-4-6", "claude-sonnet-4-5", "claude-haiku-4-5"):
        price = table.find("anthropic", model, date(2026, 11, 21))
        assert price is not None
        assert (price.cache_write, price.cached) == (price.input * 5 // 4, price.input // 10)


def test_a_price_holds_from_its_day_on() -> None:
    table = PriceTable(
        [Price("openai", "m", date(2026, 6, 1), 2, 2, 2), Price("openai", "m", date(2026, 1, 1), 1, 1, 1)]
    )

    found = [table.find("openai", "m", day) for day in (date(2025, 12, 31), date(2026, 5, 31), date(2026, 6, 1))]

    assert [price and price.input for price in found] == [None, 1, 2]


@pytest.mark.parametrize(
    ("provider", "model", "known_as"),
    [
        ("openai", "gpt-4o-mini", "gpt-4o-mini"),
        ("openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai", "gpt-4o-2024-11-20", "gpt-4o"),
        ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("anthropic", "gpt-4o", None),
        ("openai", "gpt-4o-audio", None),
        ("openai", "gpt-4o-200b", None),
        ("openai", "my-own-model", None),
        ("offline", "quotes", None),
    ],
)
def test_the_published_table_knows_models_and_their_dated_releases(
    provider: str, model: str, known_as: str | None
) -> None:
    price = PriceTable.published().find(provider, model, date(2026, 11, 21))

    assert (price and price.model) == known_as
