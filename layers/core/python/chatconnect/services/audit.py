"""Reading the audit log, page by page or as a file."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from json import dumps

from chatconnect.domain.audit import AuditEntry, AuditFilters
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.audit import AuditLogOf, AuditPlace

LARGEST_EXPORT = 4 * 1024 * 1024
"""Bytes in one file: an answer of a function has at most 6 MB."""

_BATCH = 500
_COLUMNS = (
    "time", "action", "actor", "actor_id", "actor_name", "object", "object_id", "object_name", "changes", "network",
    "trace_id", "id",
)  # fmt: skip
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


class ExportForm(StrEnum):
    """The forms that lines can be taken out in."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Lines, newest first; `following` is where the next page begins, None at the end."""

    entries: Sequence[AuditEntry]
    following: AuditPlace | None


@dataclass(frozen=True, slots=True)
class AuditFile:
    """A file of lines; `following` is where the next file begins, None when these were all."""

    content: str
    following: AuditPlace | None


class AuditService:
    """Reads what the log tells. `log_of` gives a tenant's log."""

    def __init__(self, *, log_of: AuditLogOf) -> None:
        self._log_of = log_of

    async def page(self, tenant_id: TenantId, filters: AuditFilters, after: AuditPlace | None, limit: int) -> AuditPage:
        """Return the lines that are meant, newest first."""
        found = await self._log_of(tenant_id).page(filters, before=after, limit=limit + 1)
        shown = found[:limit]
        return AuditPage(shown, _place(shown[-1]) if len(found) > limit else None)

    async def export(
        self, tenant_id: TenantId, filters: AuditFilters, after: AuditPlace | None, form: ExportForm
    ) -> AuditFile:
        """Return as many of the lines that are meant as one file holds; the log itself tells of it."""
        log, write = self._log_of(tenant_id), _WRITERS[form]
        await log.note_export(form)
        pieces, size, place = [_HEADS[form]], len(_HEADS[form]), after
        while True:
            found = await log.page(filters, before=place, limit=_BATCH)
            for entry in found:
                line = write(entry)
                size += len(line.encode())
                if size > LARGEST_EXPORT:
                    return AuditFile("".join(pieces), place)
                pieces.append(line)
                place = _place(entry)
            if len(found) < _BATCH:
                return AuditFile("".join(pieces), None)


def _place(entry: AuditEntry) -> AuditPlace:
    return AuditPlace(entry.at, entry.id)


def _values(entry: AuditEntry) -> dict[str, object]:
    changes = {each.field: {"before": each.before, "after": each.after} for each in entry.changes}
    values = (
        entry.at.isoformat(), entry.action, entry.actor.kind.value, entry.actor.id, entry.actor.name, entry.object_kind,
        entry.object_id, entry.object_name, changes, entry.address, entry.trace_id, entry.id,
    )  # fmt: skip
    return dict(zip(_COLUMNS, values, strict=True))


def _json_line(entry: AuditEntry) -> str:
    return dumps(_values(entry), default=str, ensure_ascii=False) + "\n"


def _csv_line(entry: AuditEntry) -> str:
    values = _values(entry)
    values["changes"] = dumps(values["changes"], ensure_ascii=False)
    return _csv(_harmless(value) for value in values.values())


def _harmless(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _csv(cells: Iterator[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


_WRITERS: dict[ExportForm, Callable[[AuditEntry], str]] = {ExportForm.CSV: _csv_line, ExportForm.JSONL: _json_line}
_HEADS = {ExportForm.CSV: _csv(iter(_COLUMNS)), ExportForm.JSONL: ""}
