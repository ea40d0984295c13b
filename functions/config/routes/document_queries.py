"""What a list of documents is asked for with, in the address."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, Json

from chatconnect.domain.identifiers import DocumentId
from chatconnect.domain.knowledge import MEDIA_TYPES, Status
from chatconnect.domain.metadata import DocumentFilters
from chatconnect.domain.text import cleaned
from chatconnect.http.cursors import invalid_cursor, to_cursor, values_of
from chatconnect.http.filters import ConditionsBody, Moment, conditions_of
from chatconnect.ports.document_lists import Listing, Place, Selection, Sort

_LARGEST_SIZE = 2**62


class Kind(StrEnum):
    """The kinds of files."""

    PDF = "pdf"
    DOCX = "docx"
    TXT = "txt"
    CSV = "csv"
    MD = "md"
    HTML = "html"


class DocumentsQuery(BaseModel):
    """Filters, an order, and a page."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=2_000, description="`next_cursor` of the page before")
    status: Status | None = Field(default=None, description="Of the newest version")
    type: Kind | None = Field(default=None, description="Of the newest version's file")
    text: str = Field(default="", max_length=300, description="Stands in the title, in upper or lower case")
    metadata: Json[ConditionsBody] | None = Field(
        default=None, description='As in a search, as JSON: `{"language": "de", "year": {"gte": 2024}}`'
    )
    since: Moment | None = Field(default=None, description="Created then or later")
    before: Moment | None = Field(default=None, description="Created before")
    sort: Sort = Sort.CREATED
    order: Literal["asc", "desc"] | None = Field(
        default=None, description="Titles go up and everything else down unless this says otherwise"
    )

    def to_listing(self) -> Listing:
        """Return the page that this asks for. Raises Invalid, with code "invalid_cursor" for one of another list."""
        filters = DocumentFilters(conditions_of(self.metadata or {}), self.since, self.before)
        media_type = MEDIA_TYPES[f".{self.type}"] if self.type else None
        meant = Selection(self.status, media_type, cleaned(self.text), filters)
        return Listing(
            meant, self.sort, self._descending, self.limit, self._place(self.cursor) if self.cursor else None
        )

    def cursor_to(self, place: Place) -> str:
        """Return the cursor that asks for what lies behind a place."""
        return to_cursor(self.sort, self._descending, place.key, place.id)

    @property
    def _descending(self) -> bool:
        return self.sort is not Sort.TITLE if self.order is None else self.order == "desc"

    def _place(self, cursor: str) -> Place:
        sort, descending, key, document_id = values_of(cursor, 4)
        if (sort, descending) != (self.sort, self._descending):
            raise invalid_cursor()
        try:
            return Place(_key(self.sort, key), DocumentId(UUID(document_id)))
        except (ValueError, TypeError, AttributeError) as error:
            raise invalid_cursor() from error


def _key(sort: Sort, value: object) -> datetime | str | int:
    """Return what documents are put in order by. Raises ValueError when it is of another kind."""
    if sort is Sort.SIZE and type(value) is int and abs(value) <= _LARGEST_SIZE:
        return value
    if sort is Sort.TITLE and isinstance(value, str):
        return cleaned(value)
    if sort in (Sort.CREATED, Sort.UPDATED) and isinstance(value, str):
        return datetime.fromisoformat(value)
    raise ValueError("another kind of key")
