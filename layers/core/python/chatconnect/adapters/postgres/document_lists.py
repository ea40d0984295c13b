"""The statements that list, count and choose documents, and their parameters."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache

from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.document_statements import DOCUMENTS
from chatconnect.domain.metadata import DocumentFilters
from chatconnect.ports.document_lists import Listing, Selection, Sort

# A value is compared with bounds of its own kind: jsonb would put texts and numbers in one order.
_FILTERS = """
  AND (%(since)s::timestamptz IS NULL OR d.created_at >= %(since)s)
  AND (%(before)s::timestamptz IS NULL OR d.created_at < %(before)s)
  AND NOT EXISTS (
      SELECT FROM jsonb_to_recordset(%(conditions)s)
          AS c (key text, any_of jsonb, gt jsonb, gte jsonb, lt jsonb, lte jsonb)
      WHERE NOT coalesce(
          (c.any_of IS NULL OR c.any_of @> (d.metadata -> c.key))
          AND jsonb_typeof(d.metadata -> c.key) = ALL (array_remove(ARRAY[
              jsonb_typeof(c.gt), jsonb_typeof(c.gte), jsonb_typeof(c.lt), jsonb_typeof(c.lte)], NULL))
          AND coalesce(d.metadata -> c.key > c.gt, true) AND coalesce(d.metadata -> c.key >= c.gte, true)
          AND coalesce(d.metadata -> c.key < c.lt, true) AND coalesce(d.metadata -> c.key <= c.lte, true), false))
"""

_MEANT = f"""
  AND (%(type)s::text IS NULL OR v.media_type = %(type)s)
  AND position(lower(%(text)s::text) IN lower(d.title)) > 0
  {_FILTERS}
"""

COUNT_DOCUMENTS = f"""
SELECT listed.status, count(*)::integer AS documents FROM ({DOCUMENTS} {_MEANT}) AS listed
GROUP BY listed.status
"""

SELECT_MATCHING = f"""
SELECT d.id FROM documents d
WHERE d.tenant_id = %(tenant)s AND d.active_version_id IS NOT NULL {_FILTERS}
ORDER BY d.id
"""

_KEYS: Mapping[Sort, tuple[str, str]] = {
    Sort.CREATED: ("d.created_at", "%(key)s::timestamptz"),
    Sort.UPDATED: ("d.updated_at", "%(key)s::timestamptz"),
    Sort.TITLE: ("lower(d.title)", "lower(%(key)s::text)"),
    Sort.SIZE: ("v.size", "%(key)s::bigint"),
}


@cache
def select_page(sort: Sort, *, descending: bool, begun: bool) -> str:
    """Return the statement for a page in this order; with `begun`, what lies behind the place `key` and `id`."""
    (column, key), (direction, behind) = _KEYS[sort], ("DESC", "<") if descending else ("ASC", ">")
    further = f"AND ({column}, d.id) {behind} ({key}, %(id)s::uuid)" if begun else ""
    return f"""{DOCUMENTS}
  AND (%(status)s::text IS NULL OR v.status = %(status)s)
  {_MEANT} {further}
ORDER BY {column} {direction}, d.id {direction}
LIMIT %(limit)s
"""


def page_parameters(listing: Listing) -> dict[str, object]:
    """Return the parameters of `select_page`; one document more than the page has tells whether there is another."""
    place = {"key": listing.after.key, "id": listing.after.id} if listing.after else {}
    return meant_parameters(listing.meant) | {"status": listing.meant.status, "limit": listing.limit + 1, **place}


def meant_parameters(meant: Selection) -> dict[str, object]:
    """Return the parameters of what is meant, but the status."""
    return filter_parameters(meant.filters) | {"type": meant.media_type, "text": meant.text}


def filter_parameters(filters: DocumentFilters) -> dict[str, object]:
    """Return the parameters of filters."""
    conditions = Jsonb([_without_none(asdict(condition)) for condition in filters.conditions])
    return {"since": filters.since, "before": filters.before, "conditions": conditions}


def _without_none(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not None}
