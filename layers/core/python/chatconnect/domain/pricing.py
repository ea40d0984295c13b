"""What tokens cost, from the dated table in prices.json. Money is whole millionths of a US dollar."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """One model's price since a day, in micro-dollars per million tokens.

    `cached` is for input that the provider read from its cache, `cache_write` for input that it put there (None: as
    any other input).
    """

    provider: str
    model: str
    since: date
    input: int
    cached: int
    output: int
    cache_write: int | None = None

    @property
    def dearest_input(self) -> int:
        """Return the most that a million tokens of input cost, whatever the provider does with them."""
        return max(self.input, self._write)

    @property
    def _write(self) -> int:
        return self.input if self.cache_write is None else self.cache_write

    def of(self, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0, cache_write_tokens: int = 0) -> int:
        """Return the cost in micro-dollars, rounded up.

        `cached_tokens` and `cache_write_tokens` are parts of `input_tokens`, and none is part of the other.
        """
        cached = min(cached_tokens, input_tokens)
        written = min(cache_write_tokens, input_tokens - cached)
        total = (input_tokens - cached - written) * self.input + cached * self.cached + written * self._write
        return -(-(total + output_tokens * self.output) // _MILLION)


class PriceTable:
    """Finds the price that held for a model on a day."""

    def __init__(self, prices: Iterable[Price]) -> None:
        self._prices = sorted(prices, key=lambda price: price.since)

    @classmethod
    def published(cls) -> "PriceTable":
        """Return the table that ships with the product."""
        table = json.loads(files(__package__).joinpath("prices.json").read_text("utf-8"))
        return cls(Price(**{**row, "since": date.fromisoformat(row["since"])}) for row in table["models"])

    @property
    def models(self) -> frozenset[str]:
        """The names of the models that have a price."""
        return frozenset(price.model for price in self._prices)

    def find(self, provider: str, model: str, day: date) -> Price | None:
        """Return the price, or None for a model that is not in the table (a self-hosted one, say).

        A dated release ("gpt-4o-mini-2024-07-18") has the price of its model.
        """
        found = None
        for price in self._prices:
            same = model == price.model or model.startswith(f"{price.model}-20")
            if price.provider == provider and same and price.since <= day:
                found = price
        return found
