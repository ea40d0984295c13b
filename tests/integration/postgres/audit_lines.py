"""A tenant, and the lines of its log."""

from collections.abc import Iterator

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.audit import PostgresAuditLog
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.audit import AuditEntry, AuditFilters
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.audit import origin
from chatconnect.ports.tenants import NewTenant
from tests.factories import a_tenant


@pytest.fixture
async def acme(database: PostgresDatabase) -> NewTenant:
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    return new


@pytest.fixture(autouse=True)
def no_origin() -> Iterator[None]:
    """Each test begins as a job does."""
    token = origin.set(None)
    yield
    origin.reset(token)


async def told(database: PostgresDatabase, tenant_id: TenantId, action: str) -> list[AuditEntry]:
    return list(await PostgresAuditLog(database, tenant_id).page(AuditFilters(action=action), before=None, limit=100))


async def all_told(database: PostgresDatabase, tenant_id: TenantId) -> list[str]:
    entries = await PostgresAuditLog(database, tenant_id).page(AuditFilters(), before=None, limit=1_000)
    return sorted(entry.action for entry in entries)


def fields(entry: AuditEntry) -> dict[str, tuple[object, object]]:
    return {change.field: (change.before, change.after) for change in entry.changes}
