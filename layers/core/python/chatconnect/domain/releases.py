"""Dated tables about models, and the names under which providers release them."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.resources import files
from typing import Any, Generic, Protocol, TypeVar

_DATED = re.compile(r"-20\d\d-?\d\d-?\d\d\Z")


class Dated(Protocol):
    """What holds for a model since a day."""

    @property
    def provider(self) -> str:
        """Who offers the model."""
        ...

    @property
    def model(self) -> str:
        """The model's name."""
        ...

    @property
    def since(self) -> date:
        """The first day."""
        ...


Row = TypeVar("Row", bound=Dated)


class ModelTable(Generic[Row]):
    """Finds the row that held for a model on a day."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in sorted(rows, key=lambda each: each.since, reverse=True):
            self._rows[row.provider, row.model].append(row)

    @property
    def models(self) -> frozenset[str]:
        """The names of the models that have a row."""
        return frozenset(model for _, model in self._rows)

    def find(self, provider: str, model: str, day: date) -> Row | None:
        """Return the row, or None for a model that is not in the table (a self-hosted one, say).

        A dated release that has no row of its own has that of its model.
        """
        rows = self._rows.get((provider, model)) or self._rows.get((provider, undated(model)), [])
        return next((row for row in rows if row.since <= day), None)


def undated(model: str) -> str:
    """Return the model that a name is a release of: "gpt-4o-mini" of "gpt-4o-mini-2024-07-18"."""
    return _DATED.sub("", model)


def published_rows(table: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table that ships with the product."""
    for row in json.loads(files(__package__).joinpath(table).read_text("utf-8"))["models"]:
        yield {**row, "since": date.fromisoformat(row["since"])}
