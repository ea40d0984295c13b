"""The stores of a tenant of side_by_side.py: in Postgres, and in memory."""

from dataclasses import dataclass
from functools import cache

from chatconnect.adapters.postgres.abuse import PostgresSignals
from chatconnect.adapters.postgres.assistants import PostgresAssistants
from chatconnect.adapters.postgres.audit import PostgresAuditLog
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.data_requests import PostgresDataRequests, PostgresRetention
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.postgres.indexes import PostgresIndexes
from chatconnect.adapters.postgres.keys import PostgresIdentitySecrets, PostgresKeys
from chatconnect.adapters.postgres.knowledge_sources import PostgresKnowledgeSources
from chatconnect.adapters.postgres.mcp_servers import PostgresMcpServers
from chatconnect.adapters.postgres.members import PostgresMembers
from chatconnect.adapters.postgres.operators import PostgresOperatedTenants
from chatconnect.adapters.postgres.record_tables import RecordTables
from chatconnect.adapters.postgres.records import PostgresRecords
from chatconnect.adapters.postgres.sealed import PostgresSealedValues
from chatconnect.adapters.postgres.sessions import PostgresSessions
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.adapters.postgres.tools import PostgresHttpTools
from chatconnect.adapters.postgres.usage import PostgresUsage, PostgresUsageRecords
from chatconnect.adapters.postgres.visitors import PostgresVisitors
from chatconnect.adapters.postgres.widgets import PostgresLeads, PostgresWidgets
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.abuse import Signals
from chatconnect.ports.audit import AuditLog
from chatconnect.ports.budgets import SpentSoFar
from chatconnect.ports.data_rights import DataRequests, Records, RetentionSettings
from chatconnect.ports.indexes import Indexes
from chatconnect.ports.secrets import SealedValues
from chatconnect.ports.usage import UsageRecords
from tests.factories import NOON
from tests.fakes.assistants import MemoryAssistants
from tests.fakes.conversations import MemoryConversations, StoredConversations
from tests.fakes.documents import MemoryDocuments
from tests.fakes.encryption import ReversingEncryption
from tests.fakes.keys import MemoryIdentitySecrets, MemoryKeys, StoredSecrets
from tests.fakes.knowledge_sources import MemoryKnowledgeSources
from tests.fakes.mcp import MemoryMcpServers
from tests.fakes.operators import MemoryOperatedTenants
from tests.fakes.people import MemoryMembers, MemorySessions, StoredPeople
from tests.fakes.tenants import MemoryTenants, StoredTenants
from tests.fakes.tools import MemoryHttpTools
from tests.fakes.visitors import MemoryVisitors, StoredVisitors
from tests.fakes.widgets import MemoryLeads, MemoryWidgets
from tests.side_things import Stores


@dataclass(frozen=True)
class StoredStores(Stores):
    """A tenant's stores in Postgres, those too that have no fake."""

    signals: Signals
    indexes: Indexes
    usage: UsageRecords
    spent: SpentSoFar
    audit: AuditLog
    requests: DataRequests
    retention: RetentionSettings
    sealed: SealedValues
    records: Records
    database: PostgresDatabase


def stored_stores(database: PostgresDatabase, tenant_id: TenantId) -> StoredStores:
    """A tenant's stores in Postgres."""
    sealing = ReversingEncryption()
    return StoredStores(
        PostgresConversations(database, tenant_id),
        PostgresDocuments(database, tenant_id),
        PostgresHttpTools(database, tenant_id, encryption=sealing),
        PostgresKnowledgeSources(database, tenant_id, encryption=sealing),
        PostgresMcpServers(database, tenant_id, encryption=sealing),
        PostgresVisitors(database, tenant_id),
        PostgresMembers(database, tenant_id),
        PostgresSessions(database),
        PostgresKeys(database, tenant_id),
        PostgresIdentitySecrets(database, tenant_id, encryption=sealing),
        PostgresWidgets(database, tenant_id),
        PostgresLeads(database, tenant_id),
        PostgresAssistants(database, tenant_id, encryption=sealing),
        PostgresTenants(database, tenant_id, encryption=sealing),
        PostgresOperatedTenants(database),
        PostgresSignals(database, tenant_id),
        PostgresIndexes(database, tenant_id),
        PostgresUsageRecords(database, tenant_id),
        PostgresUsage(database),
        PostgresAuditLog(database, tenant_id),
        PostgresDataRequests(database, tenant_id),
        PostgresRetention(database, tenant_id),
        PostgresSealedValues(database, tenant_id),
        PostgresRecords(database, _tables(database), tenant_id),
        database,
    )


_tables = cache(RecordTables)


def memory_stores(stored: StoredTenants, sessions: MemorySessions, tenant_id: TenantId) -> Stores:
    """A tenant's memory, in which there is nothing of anybody else."""
    return Stores(
        MemoryConversations(StoredConversations(), tenant_id),
        MemoryDocuments({}, tenant_id),
        MemoryHttpTools({}, tenant_id),
        MemoryKnowledgeSources({}, tenant_id),
        MemoryMcpServers({}, tenant_id),
        MemoryVisitors(StoredVisitors(), tenant_id),
        MemoryMembers(StoredPeople(stored), tenant_id),
        sessions,
        MemoryKeys(stored, tenant_id),
        MemoryIdentitySecrets(StoredSecrets(), tenant_id),
        MemoryWidgets(stored, tenant_id),
        MemoryLeads(stored, tenant_id),
        MemoryAssistants(stored, tenant_id),
        MemoryTenants(stored, tenant_id),
        MemoryOperatedTenants(stored, lambda: NOON),
    )
