"""What every record of tenants' indexes does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.postgres.indexes import PostgresIndexes
from chatconnect.domain.embedding import EmbeddingModel, IndexState
from chatconnect.domain.identifiers import TenantId, VersionId
from chatconnect.domain.knowledge import Progress, Version
from chatconnect.ports.indexes import Indexes
from chatconnect.ports.knowledge import Documents
from tests.factories import a_document, a_tenant
from tests.fakes.documents import MemoryDocuments, StoredDocuments
from tests.fakes.indexes import MemoryIndexes, StoredIndexes

SMALL = EmbeddingModel("local", "small", 3)
LARGE = EmbeddingModel("openai", "org/large.v2", 1024)
OTHER = EmbeddingModel("openai", "other", 8)
NOW = datetime(2026, 3, 14, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Kept:
    """A tenant's record, and its documents."""

    tenant_id: TenantId
    indexes: Indexes
    documents: Documents

    async def answering(self, model: EmbeddingModel = SMALL) -> Version:
        """A version that answers, and was read for a model."""
        document = a_document(self.tenant_id)
        await self.documents.add(document)
        await self.documents.begin_processing(document.newest.id, "01")
        await self.documents.stored_chunks(document.newest.id, str(model))
        assert await self.documents.activate(document.newest.id)
        return document.newest


@pytest.fixture(params=["memory", "postgres"])
def open_tenant(request: pytest.FixtureRequest) -> Callable[[], Awaitable[Kept]]:
    database: PostgresDatabase | None = None
    documents: dict[TenantId, StoredDocuments] = {}

    def answering(tenant_id: TenantId) -> list[VersionId]:
        kept = documents.get(tenant_id, StoredDocuments()).documents.values()
        return [document.active_version_id for document in kept if document.active_version_id]

    stored = StoredIndexes(answering=answering)
    if request.param == "postgres":
        database = request.getfixturevalue("database")

    async def open_one() -> Kept:
        new = a_tenant()
        id_ = new.tenant.id
        if database is None:
            return Kept(id_, MemoryIndexes(stored, id_), MemoryDocuments(documents, id_))
        await PostgresAccounts(database).open_tenant(new)
        return Kept(id_, PostgresIndexes(database, id_), PostgresDocuments(database, id_))

    return open_one


@pytest.fixture
async def acme(open_tenant: Callable[[], Awaitable[Kept]]) -> Kept:
    return await open_tenant()


async def test_the_first_claim_decides(acme: Kept) -> None:
    assert await acme.indexes.find() is None

    states = await asyncio.gather(*(acme.indexes.claim(model) for model in (SMALL, LARGE, OTHER)))
    again = await acme.indexes.claim(OTHER)

    assert set(states) == {again}
    assert await acme.indexes.find() == again == IndexState(again.active)


async def test_one_tenants_record_is_not_anothers(open_tenant: Callable[[], Awaitable[Kept]]) -> None:
    acme, globex = await open_tenant(), await open_tenant()
    await acme.indexes.claim(SMALL)
    await globex.indexes.claim(LARGE)

    await acme.indexes.begin(OTHER)
    await acme.indexes.abandon(NOW)

    assert await globex.indexes.find() == IndexState(LARGE)


async def test_a_move_begins_once_and_tells_how_far_it_is(acme: Kept) -> None:
    await acme.indexes.claim(SMALL)

    begun = [await acme.indexes.begin(model) for model in (SMALL, LARGE, LARGE, OTHER)]
    await acme.indexes.set_progress(OTHER, Progress(7, 7))
    await acme.indexes.set_progress(LARGE, Progress(2, 5))

    assert begun == [False, True, False, False]
    assert await acme.indexes.find() == IndexState(SMALL, LARGE, (), Progress(2, 5))


async def test_a_switch_leaves_the_old_index_to_be_removed(acme: Kept) -> None:
    await acme.indexes.claim(SMALL)
    version = await acme.answering()
    await acme.indexes.begin(LARGE)

    switched = await acme.indexes.switch(LARGE, [version.id], NOW)

    assert switched
    state = await acme.indexes.find()
    assert state is not None
    assert (state.active, state.next, state.former, state.left_at) == (LARGE, None, (SMALL,), NOW)
    await acme.indexes.forget(SMALL)
    assert (await acme.indexes.claim(OTHER)).former == ()


async def test_there_is_no_switch_while_a_version_answers_that_is_not_complete(acme: Kept) -> None:
    await acme.indexes.claim(SMALL)
    versions = [await acme.answering(), await acme.answering()]
    await acme.indexes.begin(LARGE)

    assert not await acme.indexes.switch(LARGE, [versions[0].id], NOW)
    assert not await acme.indexes.switch(LARGE, [], NOW)
    assert not await acme.indexes.switch(OTHER, [version.id for version in versions], NOW)

    assert await acme.indexes.find() == IndexState(SMALL, LARGE)


async def test_a_tenant_without_documents_switches_at_once(acme: Kept) -> None:
    await acme.indexes.claim(SMALL)
    await acme.indexes.begin(LARGE)

    assert await acme.indexes.switch(LARGE, [], NOW)


async def test_what_was_given_up_is_to_be_removed_and_may_be_begun_again(acme: Kept) -> None:
    await acme.indexes.claim(SMALL)
    await acme.indexes.begin(LARGE)
    await acme.indexes.set_progress(LARGE, Progress(1, 2))

    assert await acme.indexes.abandon(NOW)
    assert not await acme.indexes.abandon(NOW + timedelta(hours=1))
    assert await acme.indexes.find() == IndexState(SMALL, None, (LARGE,), Progress(), NOW)

    assert await acme.indexes.begin(LARGE)
    assert (await acme.indexes.claim(SMALL)).former == ()


async def test_a_move_there_and_back_names_each_former_index_once(acme: Kept) -> None:
    await acme.indexes.claim(SMALL)
    for model in (LARGE, SMALL, LARGE):
        assert await acme.indexes.begin(model)
        assert await acme.indexes.switch(model, [], NOW)

    state = await acme.indexes.find()

    assert state is not None
    assert (state.active, state.former) == (LARGE, (SMALL,))
