"""Audit logs in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chatconnect.domain.audit import AuditEntry, AuditFilters
from chatconnect.domain.identifiers import AccountId
from chatconnect.ports.audit import AuditPlace


@dataclass
class MemoryAuditLog:
    """One tenant's log; a test puts the lines in."""

    entries: list[AuditEntry] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)

    async def page(self, filters: AuditFilters, *, before: AuditPlace | None, limit: int) -> Sequence[AuditEntry]:
        ordered = sorted(self.entries, key=_place, reverse=True)
        found = [each for each in ordered if _is_meant(each, filters)]
        return [each for each in found if before is None or _place(each) < (before.at, before.id)][:limit]

    async def note_export(self, form: str) -> None:
        self.exports.append(form)


@dataclass
class MemoryRefusedLogIns:
    """Remembers whose log-ins failed."""

    of: list[AccountId | None] = field(default_factory=list)

    async def note_refusal(self, account_id: AccountId | None) -> None:
        self.of.append(account_id)


def _place(entry: AuditEntry) -> tuple[object, object]:
    return entry.at, entry.id


def _is_meant(entry: AuditEntry, filters: AuditFilters) -> bool:
    values = [f"{each.field} {each.before} {each.after}" for each in entry.changes]
    told = f"{entry.action} {entry.object_name} {values}".lower()
    return (
        filters.actor_kind in (None, entry.actor.kind)
        and filters.actor_id in (None, entry.actor.id)
        and filters.action in (None, entry.action, entry.action.partition(".")[0])
        and filters.object_kind in (None, entry.object_kind)
        and filters.object_id in (None, entry.object_id)
        and (filters.since is None or entry.at >= filters.since)
        and (filters.until is None or entry.at < filters.until)
        and (filters.text is None or filters.text.lower() in told)
    )
