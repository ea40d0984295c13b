"""Companies with something in every table and store, and all that exports and erases it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from io import BytesIO
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import psycopg

from chatconnect.adapters import aws
from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.data_requests import PostgresDataRequests, PostgresDueRequests, PostgresRetention
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.postgres.indexes import PostgresIndexes
from chatconnect.adapters.postgres.knowledge_sources import PostgresKnowledgeSources
from chatconnect.adapters.postgres.mcp_servers import PostgresMcpServers
from chatconnect.adapters.postgres.operators import PostgresOperatedTenants
from chatconnect.adapters.postgres.record_tables import RecordTables
from chatconnect.adapters.postgres.records import PostgresRecords
from chatconnect.adapters.postgres.tools import PostgresHttpTools
from chatconnect.adapters.qdrant_stores import QdrantStores
from chatconnect.adapters.receipt_seal import HmacSeal
from chatconnect.adapters.redis import RedisDatabase, RedisJournal
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.adapters.redis_traces import RedisTraces
from chatconnect.adapters.s3 import S3Uploads
from chatconnect.adapters.s3_archives import S3Archives
from chatconnect.domain.conversation import MessageStatus, Turn
from chatconnect.domain.data_rights import LEASE, DataRequest, Retention
from chatconnect.domain.embedding import EmbeddingModel
from chatconnect.domain.identifiers import TenantId, VisitorId, new_id
from chatconnect.domain.principals import Staff
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import StaffRole
from chatconnect.ports.tenants import NewTenant
from chatconnect.services.data_rights import DataRightsService
from chatconnect.services.erasing import ErasureService
from chatconnect.services.exporting import ExportService
from tests.factories import (
    a_chunk,
    a_conversation,
    a_document,
    a_knowledge_source,
    a_tenant,
    a_tool,
    a_turn,
    an_mcp_server,
    answered,
)
from tests.fakes.clock import SetClock
from tests.fakes.encryption import ReversingEncryption
from tests.integration.adapters.data_rights.rows import BY_HAND, OF_VISITORS, PLANTED, TABLES

BUCKET = "uploads"
MODEL = EmbeddingModel("local", "rights", 3)


@dataclass
class Rights:
    """Everything, put together as the assembly does it, but for the clock."""

    database: PostgresDatabase
    redis: RedisDatabase
    stores: QdrantStores
    epochs: RedisEpochs
    clock: SetClock = field(default_factory=SetClock)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.records_of = partial(PostgresRecords, self.database, RecordTables(self.database))
        self.requests_of = partial(PostgresDataRequests, self.database)
        self.archives, self.uploads = S3Archives(BUCKET), S3Uploads(BUCKET)
        self.traces = RedisTraces(lambda: self.redis)
        self.seal, tenants = HmacSeal(self._keys), PostgresOperatedTenants(self.database)
        shared: dict[str, Any] = {
            "requests_of": self.requests_of,
            "records_of": self.records_of,
            "archives": self.archives,
            "seal": self.seal,
            "clock": self.clock,
        }
        self.exports = ExportService(**shared, uploads=self.uploads)
        self.erasures = ErasureService(
            **shared,
            uploads=self.uploads,
            tenants=tenants,
            traces=self.traces,
            journal_of=partial(RedisJournal, self.redis),
            indexes_of=partial(PostgresIndexes, self.database),
            stores=self.stores,
            wanted=MODEL,
            epochs=self.epochs,
        )
        self.service = DataRightsService(
            **shared,
            due=PostgresDueRequests(self.database),
            tenants=tenants,
            exports=self.exports,
            erasures=self.erasures,
            on_fault=lambda what, fault: self.faults.append(f"{what}: {type(fault).__name__}"),
        )

    async def _keys(self) -> list[Secret]:
        return [Secret("signing key")]

    async def archive(self, request: DataRequest) -> dict[str, str]:
        """The archive's entries as text."""
        stored = await aws.call("s3", "get_object", Bucket=BUCKET, Key=request.archive_key)
        with ZipFile(BytesIO(stored["Body"].read())) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name).decode() for name in archive.namelist()}


@dataclass
class Company:
    """A tenant with two visitors, each with a conversation, and with something in every table."""

    rights: Rights
    new: NewTenant
    turns: list[Turn] = field(default_factory=list)

    @property
    def id(self) -> TenantId:
        return self.new.tenant.id

    @property
    def owner(self) -> Staff:
        return Staff(self.id, self.new.account.id, self.new.owner.id, StaffRole.OWNER)

    @property
    def visitors(self) -> list[VisitorId]:
        return [turn.conversation.visitor_id for turn in self.turns if turn.conversation.visitor_id]

    async def has(self, text: str, *, visitor_id: VisitorId | None = None) -> Turn:
        """A visitor asks, and is answered."""
        visitor_id = visitor_id or VisitorId(new_id())
        conversation = a_conversation(self.id, self.new.assistant.id, visitor_id=visitor_id)
        turn = answered(a_turn(conversation, text=text), f"answer to {text}")
        conversations = PostgresConversations(self.rights.database, self.id)
        await conversations.begin(begun(turn))
        await conversations.complete(turn)
        self.turns.append(turn)
        return turn

    async def promises(self, files: int) -> list[str]:
        """There are documents with files of these names."""
        names = [f"{number}.txt" for number in range(files)]
        for name in names:
            promised = a_document(self.id)
            version = replace(promised.newest, filename=name)
            await PostgresDocuments(self.rights.database, self.id).add(replace(promised, newest=version))
            await aws.call("s3", "put_object", Bucket=BUCKET, Key=version.object_key, Body=b"a file")
        return names

    async def run(self, *statements: str, **more: object) -> None:
        given = {"tenant": self.id, "secret": PLANTED.encode(), "hash": bytes(32), **more}
        async with self.rights.database.transaction(self.id) as connection:
            for statement in statements:
                await connection.execute(statement.encode(), given)

    async def count(self, table: str) -> int:
        async with self.rights.database.transaction(self.id) as connection:
            [[rows]] = await (await connection.execute(f"SELECT count(*) FROM {table}".encode())).fetchall()
            return int(rows)

    async def keeps(self, *names: str) -> None:
        """Redis has keys of these names."""
        for name in names:
            await self.rights.redis.ask(("SET", f"{{{self.id}}}:{name}", b"1"))


def begun(turn: Turn) -> Turn:
    """The turn as it is when it begins."""
    return replace(turn, answer=replace(turn.answer, text="", status=MessageStatus.PENDING, completed_at=None))


async def a_company(rights: Rights, name: str) -> Company:
    company = Company(rights, a_tenant(name))
    await PostgresAccounts(rights.database).open_tenant(company.new)
    await company.has(f"the first of {name}")
    await company.has(f"the second of {name}")
    await company.run(*OF_VISITORS)
    return company


async def fill(company: Company) -> None:
    """Put something into every other table and store."""
    rights, tenant_id, encryption = company.rights, company.id, ReversingEncryption("key")
    await PostgresHttpTools(rights.database, tenant_id, encryption=encryption).add(
        a_tool(tenant_id, headers={"authorization": Secret(PLANTED)})
    )
    await PostgresMcpServers(rights.database, tenant_id, encryption=encryption).add(an_mcp_server(tenant_id))
    await PostgresKnowledgeSources(rights.database, tenant_id, encryption=encryption).add(a_knowledge_source(tenant_id))
    await PostgresIndexes(rights.database, tenant_id).claim(MODEL)
    document = a_document(tenant_id)
    documents = PostgresDocuments(rights.database, tenant_id)
    await documents.add(document)
    await documents.begin_processing(document.newest.id, "1")
    chunk = a_chunk(document.newest)
    await documents.stored_chunks(document.newest.id, str(MODEL))
    await documents.save_chunks(document.newest.id, [chunk])
    await documents.activate(document.newest.id)
    await (await rights.stores.chunks(MODEL, tenant_id)).save([chunk], [[1.0, 0.0, 0.0]])
    s3 = aws.client("s3")
    for version in (b"an older file", f"the file of {company.new.tenant.name}".encode()):
        s3.put_object(Bucket=BUCKET, Key=document.newest.object_key, Body=version)
    await company.run(*BY_HAND)
    await PostgresRetention(rights.database, tenant_id).save(Retention())


async def away(*commands: Any) -> Any:
    raise ConnectionError


async def keys_of(rights: Rights, company: Company) -> set[str]:
    """What follows the tenant in its keys."""
    [keys] = await rights.redis.ask(("KEYS", f"{{{company.id}}}:*"))
    return {key.decode().partition(":")[2] for key in keys}


async def totals_of(company: Company, subject: str) -> list[Any]:
    async with company.rights.database.transaction(company.id) as connection:
        cursor = await connection.execute(
            "SELECT period, starts_on, answers, cost_microusd FROM usage_totals WHERE subject = %s ORDER BY 1, 2",
            [subject],
        )
        return await cursor.fetchall()


async def rows_by_table(owner_url: str, tenant_id: UUID) -> dict[str, int]:
    """How many rows of the tenant each table has, whatever its policies."""
    async with await psycopg.AsyncConnection.connect(owner_url) as owner:
        tables = [name for (name,) in await (await owner.execute(TABLES)).fetchall()]
        found = {}
        for table in tables:
            statement = f"SELECT count(*) FROM {table} WHERE tenant_id = %s"
            [[found[table]]] = await (await owner.execute(statement.encode(), [tenant_id])).fetchall()
        return found


def slowed(
    rights: Rights, work: Callable[..., Awaitable[None]], request: DataRequest, lasting: timedelta
) -> tuple[Callable[..., Awaitable[None]], list[DataRequest | None]]:
    """Return the work so that it lasts so long, and then another run wants the request; and what that got each time."""
    requests, taken = rights.requests_of(request.tenant_id), list[DataRequest | None]()

    async def slow(*arguments: Any) -> None:
        await work(*arguments)
        rights.clock.advance(lasting.total_seconds())
        taken.append(await requests.claim(rights.clock(), rights.clock() + LEASE, request.id))

    return slow, taken
