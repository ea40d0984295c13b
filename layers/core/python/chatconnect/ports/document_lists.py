"""Which documents are listed, in what order, and what a page of them is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chatconnect.domain.identifiers import DocumentId
from chatconnect.domain.knowledge import Document, Status
from chatconnect.domain.metadata import DocumentFilters


class Sort(StrEnum):
    """What documents are put in order by; of equals, by their ids. The size is that of the newest version."""

    CREATED = "created"
    UPDATED = "updated"
    TITLE = "title"
    SIZE = "size"


@dataclass(frozen=True, slots=True)
class Place:
    """The place behind a document: what it was put in order by, and its id."""

    key: datetime | str | int
    id: DocumentId


@dataclass(frozen=True, slots=True)
class Selection:
    """Which documents are meant: None and "" leave a choice open. `text` stands in the title, in any case.

    Status and media type are those of the newest version.
    """

    status: Status | None = None
    media_type: str | None = None
    text: str = ""
    filters: DocumentFilters = field(default_factory=DocumentFilters)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page that is asked for: at most `limit` of the documents meant, in order, behind `after`."""

    meant: Selection = field(default_factory=Selection)
    sort: Sort = Sort.CREATED
    descending: bool = True
    limit: int = 50
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Documents in order, and the place behind which the next page begins (None: no more)."""

    documents: tuple[Document, ...]
    following: Place | None


Counts = Mapping[Status, int]
"""How many documents there are of each status."""


def place_of(document: Document, sort: Sort) -> Place:
    """Return the place behind the document."""
    keys: Mapping[Sort, datetime | str | int] = {
        Sort.CREATED: document.created_at,
        Sort.UPDATED: document.updated_at,
        Sort.TITLE: document.title,
        Sort.SIZE: document.newest.size,
    }
    return Place(keys[sort], document.id)
