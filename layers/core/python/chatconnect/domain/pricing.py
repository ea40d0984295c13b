"""What tokens cost, from the dated table in prices.json. Money is whole millionths of a US dollar."""

from dataclasses import dataclass
from datetime import date

from chatconnect.domain.releases import ModelTable, published_rows

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


class PriceTable(ModelTable[Price]):
    """Finds the price that held for a model on a day."""

    @classmethod
    def published(cls) -> "PriceTable":
        """Return the table that ships with the product."""
        return cls(Price(**row) for row in published_rows("prices.json"))
