"""How much text models take, from the dated table in windows.json."""

from dataclasses import dataclass
from datetime import date

from chatconnect.domain.releases import ModelTable, published_rows

UNKNOWN_MODEL = 8_192
"""Tokens of a model that is not in the table (a self-hosted one, say): what nearly every model of today takes."""


@dataclass(frozen=True, slots=True)
class ContextWindow:
    """What one model takes since a day: prompt and answer together, in tokens."""

    provider: str
    model: str
    since: date
    tokens: int


class ContextWindows(ModelTable[ContextWindow]):
    """Finds how much a model took on a day."""

    @classmethod
    def published(cls) -> "ContextWindows":
        """Return the table that ships with the product."""
        return cls(ContextWindow(**row) for row in published_rows("windows.json"))

    def tokens(self, provider: str, model: str, day: date) -> int:
        """Return the model's window."""
        window = self.find(provider, model, day)
        return UNKNOWN_MODEL if window is None else window.tokens
