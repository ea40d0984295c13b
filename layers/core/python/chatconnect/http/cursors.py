"""Cursors: where the next page of a list begins, as a text that says nothing to those who pass it on."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from chatconnect.domain.errors import Invalid


def to_cursor(*values: object) -> str:
    """Return a cursor for values that JSON can hold, and times and ids."""
    return urlsafe_b64encode(orjson.dumps(values)).rstrip(b"=").decode()


def values_of(cursor: str, count: int) -> Sequence[Any]:
    """Return the values that a cursor was made of. Raises Invalid with code "invalid_cursor"."""
    try:
        values = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise invalid_cursor() from error
    if not isinstance(values, list) or len(values) != count:
        raise invalid_cursor()
    return values


def moment_and_id_of(cursor: str) -> tuple[datetime, UUID]:
    """Return the moment and the id that a cursor was made of. Raises Invalid with code "invalid_cursor"."""
    moment, identifier = values_of(cursor, 2)
    try:
        place = datetime.fromisoformat(moment), UUID(identifier)
    except (ValueError, TypeError, AttributeError) as error:
        raise invalid_cursor() from error
    if place[0].tzinfo is None:
        raise invalid_cursor()
    return place


def invalid_cursor() -> Invalid:
    """Return the error that tells of a cursor that is none of this list."""
    return Invalid("this is no cursor of this list", code="invalid_cursor", details={"field": "cursor"})
