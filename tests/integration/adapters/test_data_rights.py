"""Exports, erasures and retention in Postgres, Qdrant, Redis and S3."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from io import BytesIO
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import boto3
import psycopg
import pytest
from moto import mock_aws

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
from chatconnect.adapters.qdrant import QdrantDatabase
from chatconnect.adapters.qdrant_stores import QdrantStores
from chatconnect.adapters.receipt_seal import HmacSeal
from chatconnect.adapters.redis import RedisDatabase, RedisJournal
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.adapters.redis_traces import RedisTraces
from chatconnect.adapters.s3 import S3Uploads
from chatconnect.adapters.s3_archives import S3Archives
from chatconnect.domain.conversation import MessageStatus, Turn
from chatconnect.domain.data_rights import (
    ARCHIVE_KEPT,
    LEASE,
    SETTLING,
    WAITING_PERIOD,
    DataRequest,
    RequestStatus,
    Retention,
)
from chatconnect.domain.embedding import EmbeddingModel
from chatconnect.domain.errors import Conflict, Forbidden, Invalid, NotFound
from chatconnect.domain.identifiers import TenantId, VisitorId, new_id
from chatconnect.domain.principals import Staff
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import StaffRole
from chatconnect.ports.data_rights import Whose
from chatconnect.ports.tenants import NewTenant
from chatconnect.services import exporting
from chatconnect.services.data_rights import DataRightsService
from chatconnect.services.erasing import ErasureService
from chatconnect.services.exporting import ExportService
from chatconnect.services.retention import RetentionService
from local.services import Qdrant
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

BUCKET = "uploads"
MODEL = EmbeddingModel("local", "rights", 3)
TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped
"""
PLANTED = "sk-planted-secret"
# What no adapter writes yet, or not in a line.
BY_HAND = (
    "INSERT INTO identity_secrets (tenant_id, id, hint, secret, secret_key, created_at)"
    " VALUES (%(tenant)s, gen_random_uuid(), 'hint', %(secret)s, 'key', now())",
    "INSERT INTO webhooks (tenant_id, id, direction, secret, secret_key)"
    " VALUES (%(tenant)s, gen_random_uuid(), 'incoming', %(secret)s, 'key')",
    "INSERT INTO webhook_deliveries (tenant_id, id, webhook_id, event, payload)"
    " SELECT tenant_id, gen_random_uuid(), id, 'x', '{}' FROM webhooks WHERE tenant_id = %(tenant)s",
    "INSERT INTO curated_answers (tenant_id, id, question, answer) VALUES (%(tenant)s, gen_random_uuid(), 'q', 'a')",
    "INSERT INTO question_topics (tenant_id, id, title) VALUES (%(tenant)s, gen_random_uuid(), 't')",
    "INSERT INTO unanswered_questions (tenant_id, message_id, assistant_id, question, asked_at)"
    " SELECT m.tenant_id, m.id, c.assistant_id, 'unanswered', now() FROM messages m JOIN conversations c"
    " ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id WHERE m.tenant_id = %(tenant)s",
    "INSERT INTO test_sets (tenant_id, id, name) VALUES (%(tenant)s, gen_random_uuid(), 'set')",
    "INSERT INTO test_questions (tenant_id, id, test_set_id, position, question)"
    " SELECT tenant_id, gen_random_uuid(), id, 0, 'q' FROM test_sets WHERE tenant_id = %(tenant)s",
    "INSERT INTO test_runs (tenant_id, id, test_set_id, assistant_id, assistant_version)"
    " SELECT s.tenant_id, gen_random_uuid(), s.id, v.assistant_id, v.number FROM test_sets s"
    " JOIN assistant_versions v ON v.tenant_id = s.tenant_id WHERE s.tenant_id = %(tenant)s",
    "INSERT INTO test_results (tenant_id, test_set_id, test_run_id, test_question_id, answer)"
    " SELECT r.tenant_id, r.test_set_id, r.id, q.id, 'a' FROM test_runs r JOIN test_questions q"
    " ON q.tenant_id = r.tenant_id WHERE r.tenant_id = %(tenant)s",
    "INSERT INTO daily_analytics (tenant_id, assistant_id, day)"
    " SELECT tenant_id, id, current_date FROM assistants WHERE tenant_id = %(tenant)s",
    "INSERT INTO invitations (tenant_id, id, email, role, token_hash, invited_by, created_at, expires_at)"
    " SELECT tenant_id, gen_random_uuid(), 'eve@example.com', 'viewer', %(hash)s, id, now(), now() + interval '1 day'"
    " FROM members WHERE tenant_id = %(tenant)s",
    "INSERT INTO ingestion_events (tenant_id, version_id, kind)"
    " SELECT tenant_id, id, 'received' FROM document_versions WHERE tenant_id = %(tenant)s",
    "INSERT INTO audit_log (tenant_id, id, actor_kind, action, target_kind)"
    " VALUES (%(tenant)s, gen_random_uuid(), 'system', 'x', 'tenant')",
    "INSERT INTO spend_caps (tenant_id, measure, period, hard) VALUES (%(tenant)s, 'messages', 'day', 9)",
    "INSERT INTO widget_versions (tenant_id, widget_id, number, config, created_at)"
    " SELECT tenant_id, id, 99, '{}', now() FROM widgets WHERE tenant_id = %(tenant)s",
)
LEAD = (
    "INSERT INTO leads (tenant_id, id, widget_id, visitor_id, fields, created_at)"
    " SELECT %(tenant)s, gen_random_uuid(), gen_random_uuid(), %(visitor)s, '{}', %(at)s"
)
OF_VISITORS = (
    "INSERT INTO leads (tenant_id, id, widget_id, visitor_id, fields, created_at)"
    " SELECT tenant_id, gen_random_uuid(), gen_random_uuid(), id, '{}', now() FROM visitors"
    " WHERE tenant_id = %(tenant)s",
    "INSERT INTO handovers (tenant_id, id, conversation_id, requested_by)"
    " SELECT tenant_id, gen_random_uuid(), id, 'visitor' FROM conversations WHERE tenant_id = %(tenant)s",
    "INSERT INTO abuse_signals (tenant_id, visitor_id, kind, hour, score, times, reasons, throttled, first_seen_at,"
    " last_seen_at) SELECT tenant_id, id, 'probing', now(), 40, 1, '{}', false, now(), now() FROM visitors"
    " WHERE tenant_id = %(tenant)s",
    "INSERT INTO blocked_visitors (tenant_id, visitor_id, reason) SELECT tenant_id, id, 'rude' FROM visitors"
    " WHERE tenant_id = %(tenant)s",
    "INSERT INTO conversation_summaries (tenant_id, conversation_id, last_message_id, text, model)"
    " SELECT tenant_id, conversation_id, id, 'summary of ' || text, 'x' FROM messages WHERE tenant_id = %(tenant)s",
    "INSERT INTO feedback (tenant_id, message_id, rating, text) SELECT tenant_id, id, 'up', 'feedback on ' || text"
    " FROM messages WHERE tenant_id = %(tenant)s AND role = 'assistant'",
)


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


@pytest.fixture(scope="module")
def cloud() -> Iterator[None]:
    """An AWS account with the bucket, which keeps versions."""
    with pytest.MonkeyPatch.context() as patched, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patched.setenv(name, "test")
        patched.setenv("AWS_DEFAULT_REGION", "us-east-1")
        aws.client.cache_clear()
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield
    aws.client.cache_clear()


@pytest.fixture
async def rights(
    database: PostgresDatabase, redis_database: RedisDatabase, qdrant: Qdrant, cloud: None
) -> AsyncIterator[Rights]:
    async def opened(model: EmbeddingModel) -> QdrantDatabase:
        return QdrantDatabase(qdrant.url, collection=f"chunks-{model.key}", dimensions=model.dimensions)

    async def no_embedder(model: EmbeddingModel) -> Any:
        raise NotImplementedError

    stores = QdrantStores(opened, no_embedder)
    epochs = RedisEpochs(lambda: redis_database, on_fault=lambda what, fault: None)
    made = Rights(database, redis_database, stores, epochs)
    made.clock.advance(60)  # everything that the factories make is of noon
    yield made
    await epochs.aclose()
    await stores.aclose()


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


@pytest.fixture
async def acme(rights: Rights) -> Company:
    return await a_company(rights, "Acme")


@pytest.fixture
async def globex(rights: Rights) -> Company:
    return await a_company(rights, "Globex")


async def test_a_visitors_archive_has_all_of_theirs_and_nothing_of_others(
    rights: Rights, acme: Company, globex: Company
) -> None:
    request = await rights.service.export_visitor(acme.owner, acme.visitors[0])

    assert request.status is RequestStatus.DONE
    entries = await rights.archive(request)
    tables = {name.partition("/")[0] for name in entries}
    assert tables >= {"abuse_signals", "blocked_visitors", "conversations", "conversation_summaries", "feedback",
                      "handovers", "messages", "usage_totals", "visitors"}  # fmt: skip
    everything = "\n".join(entries.values())
    assert "answer to the first of Acme" in everything
    assert "feedback on answer to the first of Acme" in everything
    assert "the second of Acme" not in everything
    assert "Globex" not in everything
    assert str(acme.visitors[1]) not in everything
    message = json.loads(entries["messages/00001.jsonl"].splitlines()[0])
    assert {"text", "role", "citations", "cost_microusd", "timings", "context", "moderation"} <= set(message)
    assert json.loads(entries["manifest.json"])["rows"]["messages"] == 2
    assert "exports/" in (await rights.service.link(request) or "")


async def test_a_tenants_archive_has_files_and_settings_but_no_secret(
    rights: Rights, acme: Company, globex: Company
) -> None:
    await fill(acme)
    request = await rights.service.export_tenant(acme.owner)
    assert request.status is RequestStatus.OPEN

    await rights.service.run_due()

    entries = await rights.archive(await rights.service.get(acme.owner, request.id))
    everything = "\n".join(entries.values())
    assert [content for name, content in entries.items() if name.startswith("documents/") and "jsonl" not in name] == [
        "the file of Acme"
    ]
    assert "the second of Acme" in everything
    assert acme.new.account.email in entries["members/00001.jsonl"]
    assert {"assistants", "widgets", "tools", "retention_settings", "usage_totals"} <= {
        n.split("/")[0] for n in entries
    }
    for secret in (PLANTED, PLANTED[::-1], PLANTED.encode().hex(), PLANTED[::-1].encode().hex(), "Globex"):
        assert secret not in everything
    hidden = ("key_hash", "token_hash", '"secret":', "secret_key", "access_token", "password_hash")
    settings = "\n".join(content for name, content in entries.items() if not name.startswith("audit_log/"))
    assert [name for name in hidden if name in settings] == []


async def test_an_export_goes_on_behind_the_last_part_that_was_stored(
    rights: Rights, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PART_BYTES", 1)
    monkeypatch.setattr(exporting, "ROWS", 1)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    request = await rights.service.export_tenant(acme.owner)
    requests, runs = rights.requests_of(acme.id), 0

    while (claimed := await requests.claim(rights.clock(), rights.clock() + LEASE)) is not None:
        runs += 1
        if runs == 5:  # a run that is killed: another may have the request when its lease is over
            rights.clock.advance(LEASE.total_seconds())
            continue
        claimed = await rights.exports.advance(claimed, ends_at=0.0)
        if claimed.status is RequestStatus.DONE:
            break

    done = await requests.get(request.id)
    entries = await rights.archive(done)
    assert runs > 20
    lines = [line for name, content in entries.items() if name.startswith("messages/") for line in content.splitlines()]
    assert sorted(json.loads(line)["id"] for line in lines) == sorted(
        str(message.id) for turn in acme.turns for message in (turn.question, turn.answer)
    )
    assert done.receipt is not None
    assert done.receipt["rows"]["messages"] == 4


async def test_an_archive_goes_when_its_time_is_over(rights: Rights, acme: Company) -> None:
    request = await rights.service.export_visitor(acme.owner, acme.visitors[0])
    rights.clock.advance(ARCHIVE_KEPT.total_seconds())

    await rights.service.run_due()

    expired = await rights.service.get(acme.owner, request.id)
    assert expired.status is RequestStatus.EXPIRED
    assert [key async for key in rights.archives.keys(acme.id)] == []
    assert await rights.service.link(expired) is None


async def test_an_erased_visitor_is_nowhere_any_more_and_the_receipt_proves_it(
    rights: Rights, acme: Company, globex: Company
) -> None:
    visitor_id, other = acme.visitors
    before = await totals_of(acme, "tenant")
    exported = await rights.service.export_visitor(acme.owner, visitor_id)
    turn = acme.turns[0]
    theirs = (f"seen:{visitor_id}", f"hold:{visitor_id}", f"rate:visitor:{visitor_id}", f"cancel:{turn.question.id}")
    await acme.keeps(*theirs, f"seen:{other}", "given:1:digest", f"listeners:visitor:{other}")
    await rights.redis.ask(("HSET", f"{{{acme.id}}}:blocked", str(visitor_id), "0", str(other), "0"))
    await globex.keeps("given:1:digest")

    request = await rights.service.erase_visitor(acme.owner, visitor_id)

    assert request.status is RequestStatus.DONE
    assert request.receipt is not None
    stores = request.receipt["stores"]
    assert {name: figures["left"] for name, figures in stores.items()} == {
        "postgres": 0, "qdrant": 0, "redis": 0, "s3": 0,
    }  # fmt: skip
    assert stores["postgres"]["erased"] == stores["postgres"]["found"] >= 12
    assert stores["s3"]["erased"] == 1
    assert request.receipt["rows"]["messages"] == 2
    assert "first of Acme" not in json.dumps(request.receipt)
    left = await rights.records_of(acme.id).exported_tables(Whose())
    for table in left:
        page = await rights.records_of(acme.id).page(table, Whose(), after=None, limit=1_000)
        if table != "audit_log":
            assert [line for line in page.lines if str(visitor_id) in line or "first of Acme" in line] == [], table
    keys = await keys_of(rights, acme)
    assert [key for key in keys if str(visitor_id) in key or str(turn.question.id) in key or "given" in key] == []
    assert f"seen:{other}" in keys
    assert await keys_of(rights, globex) == {"given:1:digest"}
    assert (await rights.service.get(acme.owner, exported.id)).status is RequestStatus.EXPIRED
    assert await totals_of(acme, "tenant") == before
    assert await acme.count("messages") == 2
    assert await globex.count("messages") == 4
    with pytest.raises(NotFound):
        await rights.service.export_visitor(acme.owner, visitor_id)


async def test_a_receipt_is_known_again_and_a_changed_one_is_not(rights: Rights, acme: Company) -> None:
    request = await rights.service.erase_visitor(acme.owner, acme.visitors[0])
    stored = await rights.service.get(acme.owner, request.id)
    assert stored.receipt is not None
    assert stored.signature is not None

    changed = {**stored.receipt, "visitor_id": str(acme.visitors[1])}

    assert await rights.service.is_good(stored.receipt, stored.signature)
    assert not await rights.service.is_good(changed, stored.signature)
    assert not await rights.service.is_good(stored.receipt, "é" * 64)


async def test_whoever_turned_out_to_be_the_visitor_goes_with_them(rights: Rights, acme: Company) -> None:
    first, second = acme.visitors
    await acme.run(
        "UPDATE visitors SET merged_into = %(first)s WHERE tenant_id = %(tenant)s AND id = %(second)s",
        first=first,
        second=second,
    )

    request = await rights.service.erase_visitor(acme.owner, second)

    assert request.receipt is not None
    assert (request.visitor_id, request.receipt["stores"]["postgres"]["left"]) == (first, 0)
    assert (await acme.count("visitors"), await acme.count("messages")) == (0, 0)


async def test_a_visitor_who_only_left_their_address_is_exported_and_erased(rights: Rights, acme: Company) -> None:
    visitor_id = VisitorId(new_id())
    await acme.run(LEAD, visitor=visitor_id, at=rights.clock())

    exported = await rights.service.export_visitor(acme.owner, visitor_id)
    erased = await rights.service.erase_visitor(acme.owner, visitor_id)

    assert exported.receipt is not None
    assert exported.receipt["rows"] == {"leads": 1}
    assert erased.receipt is not None
    assert erased.receipt["rows"] == {"leads": 1}
    assert await acme.count("leads") == 2


async def test_an_erasure_that_was_interrupted_is_ended_by_the_job(
    rights: Rights, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor_id = acme.visitors[0]
    for number in range(5):
        await acme.has(f"question {number}", visitor_id=visitor_id)
    monkeypatch.setattr("chatconnect.services.erasing.BATCH", 2)
    with monkeypatch.context() as patched:
        patched.setattr(rights.redis, "ask", away)
        interrupted = await rights.service.erase_visitor(acme.owner, visitor_id)
    assert interrupted.status is RequestStatus.OPEN
    assert await rights.service.run_due() == {"done": 0, "left": 0, "failed": 0}

    rights.clock.advance(LEASE.total_seconds())
    figures = await rights.service.run_due()

    done = await rights.service.get(acme.owner, interrupted.id)
    assert figures == {"done": 1, "left": 0, "failed": 0}
    assert rights.faults == ["erase put off: Unavailable"]
    assert done.receipt is not None
    assert done.receipt["rows"]["messages"] == 12
    assert done.receipt["stores"]["postgres"]["left"] == 0
    assert await acme.count("messages") == 2


async def test_what_comes_late_for_an_erased_visitor_is_found_and_goes_too(
    rights: Rights, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatconnect.services.erasing._PAUSES", 1)
    visitor_id = acme.visitors[0]
    conversation = a_conversation(acme.id, acme.new.assistant.id, visitor_id=visitor_id)
    late = answered(a_turn(conversation, text="still being answered"))
    conversations = PostgresConversations(rights.database, acme.id)
    await conversations.begin(begun(late))
    request = await rights.service.erase_visitor(acme.owner, visitor_id)
    assert await rights.redis.ask(("EXISTS", f"{{{acme.id}}}:cancel:{late.answer.id}")) == [0]

    await conversations.complete(late)
    assert await acme.count("messages") == 4
    rights.clock.advance(timedelta(minutes=10).total_seconds())
    await rights.service.run_due()

    looked = await rights.service.get(acme.owner, request.id)
    assert await acme.count("messages") == 2
    assert looked.receipt is not None
    assert looked.receipt["rows"]["messages"] == 6
    assert await rights.service.is_good(looked.receipt, looked.signature or "")
    assert looked.next_at is not None


async def test_a_visitor_who_comes_back_after_the_erasure_keeps_what_is_new(rights: Rights, acme: Company) -> None:
    visitor_id = acme.visitors[0]
    await rights.service.erase_visitor(acme.owner, visitor_id)
    await acme.run(
        "INSERT INTO visitors (tenant_id, id, first_seen_at, last_seen_at) VALUES (%(tenant)s, %(id)s, now(), now())",
        "INSERT INTO conversations (tenant_id, id, assistant_id, visitor_id, created_at, updated_at)"
        " SELECT tenant_id, gen_random_uuid(), id, %(id)s, now(), now() FROM assistants WHERE tenant_id = %(tenant)s",
        id=visitor_id,
    )

    for days in (1, 5, 20):
        rights.clock.advance(timedelta(days=days).total_seconds())
        await rights.service.run_due()

    assert (await acme.count("visitors"), await acme.count("conversations")) == (2, 2)


async def test_two_runs_never_have_the_same_request(rights: Rights, acme: Company) -> None:
    await rights.service.export_tenant(acme.owner)
    requests, now = rights.requests_of(acme.id), rights.clock()

    first, second = await requests.claim(now, now + LEASE), await requests.claim(now, now + LEASE)

    assert (first is None, second) == (False, None)
    assert first is not None
    with pytest.raises(Conflict):
        await requests.save(first, now)


async def test_a_second_request_of_the_same_kind_is_the_first(rights: Rights, acme: Company) -> None:
    first = await rights.service.export_tenant(acme.owner)

    second = await rights.service.export_tenant(acme.owner)

    assert second.id == first.id


async def test_a_tenants_erasure_waits_and_can_be_called_off(rights: Rights, acme: Company) -> None:
    with pytest.raises(Invalid) as mistyped:
        await rights.service.erase_tenant(acme.owner, "Acmee")
    request = await rights.service.erase_tenant(acme.owner, " Acme ")
    rights.clock.advance(WAITING_PERIOD.total_seconds() - 1)
    await rights.service.run_due()

    cancelled = await rights.service.cancel(acme.owner, request.id)
    rights.clock.advance(2)
    await rights.service.run_due()

    assert (mistyped.value.code, request.status) == ("name_mismatch", RequestStatus.WAITING)
    assert cancelled.status is RequestStatus.CANCELLED
    assert await acme.count("messages") == 4
    with pytest.raises(Conflict):
        await rights.service.cancel(acme.owner, request.id)


async def test_an_erased_tenant_is_in_no_table_no_store_and_no_bucket(
    rights: Rights, acme: Company, globex: Company, owner_url: str
) -> None:
    await fill(acme)
    await fill(globex)
    others = await rows_by_table(owner_url, globex.id)
    assert len([table for table, rows in (await rows_by_table(owner_url, acme.id)).items() if rows]) >= 39
    await rights.service.export_visitor(acme.owner, acme.visitors[0])
    await acme.keeps("budget", f"seen:{acme.visitors[0]}", "given:1:digest")
    request = await rights.service.erase_tenant(acme.owner, "Acme")
    rights.clock.advance(WAITING_PERIOD.total_seconds())

    await rights.service.run_due()
    closed = await PostgresOperatedTenants(rights.database).get(acme.id)
    rights.clock.advance(SETTLING.total_seconds())
    figures = await rights.service.run_due()

    assert closed.suspended_at is not None
    assert figures == {"done": 1, "left": 0, "failed": 0}
    assert {table: rows for table, rows in (await rows_by_table(owner_url, acme.id)).items() if rows} == {
        "data_requests": 1
    }
    assert await rows_by_table(owner_url, globex.id) == others
    with pytest.raises(NotFound):
        await PostgresOperatedTenants(rights.database).get(acme.id)
    assert await PostgresAccounts(rights.database).find_by_email(acme.new.account.email) is None
    assert await PostgresAccounts(rights.database).find_by_email(globex.new.account.email) is not None
    assert await keys_of(rights, acme) == set()
    assert len(await (await rights.stores.chunks(MODEL, globex.id)).positions()) == 1
    assert await (await rights.stores.chunks(MODEL, acme.id)).positions() == {}
    [receipt] = await rights.service.of_tenant(acme.id)
    assert receipt.id == request.id
    assert receipt.receipt is not None
    assert {store: figures["left"] for store, figures in receipt.receipt["stores"].items()} == {
        "postgres": 0, "qdrant": 0, "redis": 0, "s3": 0,
    }  # fmt: skip
    assert receipt.receipt["stores"]["qdrant"] == {"found": 1, "erased": 1, "left": 0}
    assert receipt.receipt["stores"]["s3"] == {"found": 2, "erased": 2, "left": 0}
    versions = aws.client("s3").list_object_versions(Bucket=BUCKET)["Versions"]
    assert [version["Key"] for version in versions if str(acme.id) in version["Key"]] == []
    assert len([version for version in versions if str(globex.id) in version["Key"]]) == 2


async def test_whatever_table_a_tenant_has_rows_in_can_be_emptied(rights: Rights, acme: Company) -> None:
    tables = await RecordTables(rights.database).all(acme.id)

    # The first two go with what they are versions of; for the others there are functions.
    assert {table.name for table in tables if not table.deletable} == {
        "assistant_versions",
        "widget_versions",
        "audit_log",
        "tenants",
    }
    assert {table.name for table in tables if table.of_people} >= {"visitors", "messages", "abuse_signals", "feedback"}


async def test_a_tenants_erasure_goes_on_after_every_interruption(
    rights: Rights, acme: Company, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatconnect.services.erasing.BATCH", 3)
    await fill(acme)
    request = await rights.service.erase_tenant(acme.owner, "Acme")
    rights.clock.advance(WAITING_PERIOD.total_seconds())
    requests = rights.requests_of(acme.id)

    for _ in range(200):
        rights.clock.advance(LEASE.total_seconds())
        claimed = await requests.claim(rights.clock(), rights.clock() + LEASE, request.id)
        if claimed is None:
            break
        done = await rights.erasures.advance(claimed, ends_at=0.0 if (await requests.get(request.id)).progress else 1e9)
        if done.status is RequestStatus.DONE:
            break

    finished = await requests.get(request.id)
    assert finished.receipt is not None
    assert finished.receipt["stores"]["postgres"]["erased"] == finished.receipt["stores"]["postgres"]["found"]
    assert sum((await rows_by_table(owner_url, acme.id)).values()) == 1


async def test_only_owners_ask_for_the_whole_company(rights: Rights, acme: Company) -> None:
    admin = Staff(acme.id, acme.owner.account_id, acme.owner.member_id, StaffRole.ADMIN)
    request = await rights.service.export_tenant(acme.owner)

    for refused in (rights.service.export_tenant(admin), rights.service.erase_tenant(admin, "Acme")):
        with pytest.raises(Forbidden):
            await refused
    with pytest.raises(NotFound):
        await rights.service.get(admin, request.id)
    assert await rights.service.newest(admin) == []
    assert [each.id for each in await rights.service.newest(acme.owner)] == [request.id]


@pytest.mark.parametrize("statement", ["SELECT remove_erased_tenant()", "SELECT prune_audit_log(1000)"])
async def test_the_application_removes_neither_a_tenant_nor_its_log_before_it_is_due(
    acme: Company, statement: str
) -> None:
    lines = await acme.count("audit_log")

    await acme.run(statement)

    assert (await acme.count("tenants"), await acme.count("audit_log")) == (1, lines)


async def test_what_is_older_than_its_tenant_keeps_it_goes(
    rights: Rights, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatconnect.services.retention.BATCH", 1)
    await acme.run("DELETE FROM blocked_visitors WHERE tenant_id = %(tenant)s")
    await acme.run(
        "INSERT INTO audit_log (tenant_id, id, actor_kind, action, target_kind, happened_at)"
        " SELECT %(tenant)s, gen_random_uuid(), 'system', 'old', 'tenant', now() - interval '31 days'"
        " FROM generate_series(1, 3)"
    )
    lines = await acme.count("audit_log")
    await acme.run(LEAD, visitor=new_id(), at=rights.clock())

    class Directory:
        async def tenant_ids(self) -> AsyncIterator[TenantId]:
            for company in (acme, globex):
                yield company.id

    service = RetentionService(
        directory=Directory(),
        retention_of=partial(PostgresRetention, rights.database),
        records_of=rights.records_of,
        epochs=rights.epochs,
        clock=rights.clock,
        on_fault=lambda what, fault: rights.faults.append(what),
    )
    await service.set(acme.id, Retention(conversation_days=30, audit_days=30))
    rights.clock.advance(timedelta(days=29).total_seconds())
    kept = await service.apply_all()
    rights.clock.advance(timedelta(days=2).total_seconds())
    gone = await service.apply_all()

    assert kept == {"conversations": 0, "visitors": 0, "audit": 3, "failed": 0, "left": 0}
    assert gone == {"conversations": 2, "visitors": 2, "audit": 0, "failed": 0, "left": 0}
    assert [await acme.count(table) for table in ("messages", "visitors", "leads")] == [0, 0, 0]
    assert await acme.count("audit_log") >= lines - 3
    assert await globex.count("messages") == 4


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
