"""How much text models take, from the dated table in windows.json."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

UNKNOWN_MODEL = 8_192
"""Tokens of a model that is not in the table (a self-hosted one, say): what nearly every model of today takes."""


@dataclass(frozen=True, slots=True)
class ContextWindow:
    """What one model takes since a day: prompt and answer together, in tokens."""

    provider: str
    model: str
    since: date
    tokens: int


class ContextWindows:
    """Finds how much a model took on a day."""

    def __init__(self, windows: Iterable[ContextWindow]) -> None:
        self._windows = sorted(windows, key=lambda window: window.since)

    @classmethod
    def published(cls) -> "ContextWindows":
        """Return the table that ships with the product."""
        table = json.loads(files(__package__).joinpath("windows.json").read_text("utf-8"))
        return cls(ContextWindow(**{**row, "since": date.fromisoformat(row["since"])}) for row in table["models"])

    def tokens(self, provider: str, model: str, day: date) -> int:
        """Return the model's window; a dated release ("gpt-4o-mini-2024-07-18") has that of its model."""
        found = UNKNOWN_MODEL
        for window in self._windows:
            same = model == window.model or model.startswith(f"{window.model}-20")
            if window.provider == provider and same and window.since <= day:
                found = window.tokens
        return found
