"""Names that are unique within a tenant."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from chatconnect.adapters.postgres.database import violated
from chatconnect.domain.errors import Conflict


@contextmanager
def unique_name(table: str, what: str, name: str) -> Iterator[None]:
    """Raise Conflict with code "name_taken" when a row of the table has the name already; `what` is for people."""
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        if violated(error) != f"{table}_tenant_id_name_key":
            raise
        raise Conflict(
            f"there is {what} with this name", code="name_taken", details={"field": "name", "name": name}
        ) from error
