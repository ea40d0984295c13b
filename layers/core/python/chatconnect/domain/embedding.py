"""Models that turn text into vectors, and which of them a tenant's knowledge is indexed with."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from chatconnect.domain.errors import Invalid
from chatconnect.domain.knowledge import Progress

_NO_PROGRESS = Progress()
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """Who computes ("local", "openai"), with which model, and how many floats a vector has.

    As text it is "openai/text-embedding-3-small/1536"; a model's own name may contain slashes.
    """

    provider: str
    name: str
    dimensions: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the model of that text. Raises Invalid."""
        provider, _, rest = text.partition("/")
        name, _, dimensions = rest.rpartition("/")
        if not (provider and name and dimensions.isdecimal()):
            raise Invalid("that is not an embedding model")
        return cls(provider, name, int(dimensions))

    @property
    def key(self) -> str:
        """What tells its vectors from those of others, in the names of collections: letters, digits, `-` and `_`."""
        safe = _UNSAFE.sub("_", self.name)
        return safe if self.provider == "local" else f"{safe}-{self.dimensions}"

    def __str__(self) -> str:
        return f"{self.provider}/{self.name}/{self.dimensions}"


@dataclass(frozen=True, slots=True)
class IndexState:
    """Which indexes a tenant has: the one that answers, the one that is being filled, and what is to be removed.

    `progress` counts the chunks that are in `next` already; `left_at` says when an index became a former one last.
    """

    active: EmbeddingModel
    next: EmbeddingModel | None = None
    former: tuple[EmbeddingModel, ...] = ()
    progress: Progress = _NO_PROGRESS
    left_at: datetime | None = None

    @property
    def models(self) -> tuple[EmbeddingModel, ...]:
        """All models of whose vectors there may be some."""
        return (self.active, *((self.next,) if self.next else ()), *self.former)
