"""What every audit log does when it is read."""

from collections.abc import Awaitable, Callable

import pytest
from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.audit import PostgresAuditLog
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.audit import Actor, ActorKind, AuditEntry, AuditFilters, FieldChange
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.ports.audit import AuditLog, AuditPlace
from tests.factories import a_tenant, seconds
from tests.fakes.audit import MemoryAuditLog

INSERT = """
INSERT INTO audit_log (tenant_id, id, actor_kind, actor_id, action, target_kind, target_id, target_name, details,
                       actor_address, trace_id, happened_at)
VALUES (%(tenant)s, %(id)s, %(kind)s, %(actor)s, %(action)s, %(object)s, %(object_id)s, %(name)s, %(details)s,
        %(address)s, %(trace)s, %(at)s)
"""
LogWith = Callable[..., Awaitable[AuditLog]]

FIRST = AuditEntry(
    new_id(), seconds(1), Actor(ActorKind.KEY, new_id()), "tool.changed", "tool", new_id(), "Orders",
    [FieldChange("description", "Finds orders", "Finds 100% of orders"), FieldChange("enabled", True, None)],
    "192.0.2.0/24", "abc",
)  # fmt: skip
SECOND = AuditEntry(
    new_id(), seconds(2), Actor(ActorKind.MEMBER, new_id()), "key.revoked", "key", new_id(), None, [], None, None
)
THIRD = AuditEntry(
    new_id(), seconds(3), Actor(ActorKind.SYSTEM), "toolbox.opened", "toolbox", None, None, [], None, None
)
ENTRIES = [FIRST, SECOND, THIRD]


@pytest.fixture(params=["memory", "postgres"])
def log_with(request: pytest.FixtureRequest) -> LogWith:
    async def in_memory(*entries: AuditEntry) -> AuditLog:
        return MemoryAuditLog(list(entries))

    if request.param == "memory":
        return in_memory
    database: PostgresDatabase = request.getfixturevalue("database")

    async def in_postgres(*entries: AuditEntry) -> AuditLog:
        tenant_id = await opened(database)
        for entry in entries:
            await database.run(tenant_id, INSERT, parameters(entry))
        return PostgresAuditLog(database, tenant_id)

    return in_postgres


async def opened(database: PostgresDatabase) -> TenantId:
    """A tenant whose log is long over what its opening left there."""
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    return new.tenant.id


def parameters(entry: AuditEntry) -> dict[str, object]:
    details = {change.field: {"before": change.before, "after": change.after} for change in entry.changes}
    return {
        "id": entry.id,
        "kind": entry.actor.kind,
        "actor": entry.actor.id,
        "action": entry.action,
        "object": entry.object_kind,
        "object_id": entry.object_id,
        "name": entry.object_name,
        "details": Jsonb(details),
        "address": entry.address,
        "trace": entry.trace_id,
        "at": entry.at,
    }


async def ids(log: AuditLog, filters: AuditFilters) -> list[object]:
    """What the filters leave of the lines here; opening a tenant has left younger ones."""
    known = {entry.id for entry in ENTRIES}
    return [each.id for each in await log.page(filters, before=None, limit=100) if each.id in known]


async def test_a_line_is_read_back_as_it_was_told(log_with: LogWith) -> None:
    log = await log_with(*ENTRIES)

    found = {entry.id: entry for entry in await log.page(AuditFilters(), before=None, limit=100)}

    assert [found[entry.id] for entry in ENTRIES] == ENTRIES


async def test_the_newest_come_first_page_by_page(log_with: LogWith) -> None:
    twin = AuditEntry(new_id(), seconds(2), Actor(ActorKind.SYSTEM), "x.y", "x", None, None, [], None, None)
    log = await log_with(*ENTRIES, twin)

    place, told = AuditPlace(seconds(4), new_id()), list[AuditEntry]()
    while found := await log.page(AuditFilters(), before=place, limit=1):
        place = AuditPlace(found[0].at, found[0].id)
        told += found

    assert [each.id for each in told] == [THIRD.id, *sorted([SECOND.id, twin.id], reverse=True), FIRST.id]


@pytest.mark.parametrize(
    ("filters", "meant"),
    [
        (AuditFilters(actor_kind=ActorKind.KEY), [FIRST]),
        (AuditFilters(actor_id=SECOND.actor.id), [SECOND]),
        (AuditFilters(action="tool.changed"), [FIRST]),
        (AuditFilters(action="tool"), [FIRST]),
        (AuditFilters(action="too"), []),
        (AuditFilters(object_kind="toolbox"), [THIRD]),
        (AuditFilters(object_id=SECOND.object_id), [SECOND]),
        (AuditFilters(since=seconds(2), until=seconds(3)), [SECOND]),
        (AuditFilters(text="ORDERS", until=seconds(4)), [FIRST]),
        (AuditFilters(text="100%", until=seconds(4)), [FIRST]),
        (AuditFilters(text="revoked", until=seconds(4)), [SECOND]),
        (AuditFilters(text="_", until=seconds(4)), []),
        (AuditFilters(text="before", until=seconds(4)), []),
    ],
)
async def test_filters_leave_what_is_meant(log_with: LogWith, filters: AuditFilters, meant: list[AuditEntry]) -> None:
    log = await log_with(*ENTRIES)

    assert await ids(log, filters) == [entry.id for entry in meant]
