"""What every store of tenants' knowledge sources does."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.knowledge_sources import PostgresKnowledgeSources
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import KnowledgeSourceId, TenantId, new_id
from chatconnect.domain.secret import Secret
from chatconnect.ports.knowledge_sources import KnowledgeSources
from tests.factories import a_knowledge_source, seconds
from tests.fakes.encryption import ReversingEncryption
from tests.fakes.knowledge_sources import MemoryKnowledgeSources, StoredKnowledgeSources

SourcesOf = Callable[[TenantId], KnowledgeSources]


@pytest.fixture(params=["memory", "postgres"])
def sources_of(request: pytest.FixtureRequest) -> SourcesOf:
    if request.param == "memory":
        stored: StoredKnowledgeSources = {}
        return lambda tenant_id: MemoryKnowledgeSources(stored, tenant_id)
    database: PostgresDatabase = request.getfixturevalue("database")
    return lambda tenant_id: PostgresKnowledgeSources(database, tenant_id, encryption=ReversingEncryption())


async def test_a_source_is_read_back_with_its_key(sources_of: SourcesOf, acme: TenantId) -> None:
    sources, source = sources_of(acme), a_knowledge_source(acme)
    other = a_knowledge_source(acme, name="archive", search_method="keyword_search", api_key=Secret("another-key"))

    await sources.add(source)
    await sources.add(other)

    assert await sources.get(source.id) == source
    assert await sources.list_all() == [other, source]


async def test_a_saved_source_takes_the_place_of_the_earlier(sources_of: SourcesOf, acme: TenantId) -> None:
    sources, source = sources_of(acme), a_knowledge_source(acme)
    await sources.add(source)
    changed = replace(
        source, name="new", base_url="https://b.example.com", dataset_id="other", api_key=Secret("other-key"),
        search_method="semantic_search", updated_at=seconds(9),
    )  # fmt: skip

    await sources.save(changed)

    assert await sources.list_all() == [changed]


async def test_two_sources_of_a_tenant_never_have_one_name(
    sources_of: SourcesOf, acme: TenantId, globex: TenantId
) -> None:
    sources, second = sources_of(acme), a_knowledge_source(acme, name="second")
    await sources.add(a_knowledge_source(acme))
    await sources.add(second)
    await sources_of(globex).add(a_knowledge_source(globex))

    for refused in (sources.add(a_knowledge_source(acme)), sources.save(replace(second, name="handbook"))):
        with pytest.raises(Conflict) as caught:
            await refused
        assert caught.value.code == "name_taken"


async def test_a_deleted_source_is_gone(sources_of: SourcesOf, acme: TenantId) -> None:
    sources, source = sources_of(acme), a_knowledge_source(acme)
    await sources.add(source)

    await sources.delete(source.id)

    assert await sources.list_all() == []
    unknown = KnowledgeSourceId(new_id())
    for missing in (sources.get(source.id), sources.save(source), sources.delete(source.id), sources.get(unknown)):
        with pytest.raises(NotFound):
            await missing


async def test_another_tenants_source_does_not_exist(sources_of: SourcesOf, acme: TenantId, globex: TenantId) -> None:
    source = a_knowledge_source(globex)
    await sources_of(globex).add(source)
    sources = sources_of(acme)

    for missing in (sources.get(source.id), sources.save(source), sources.delete(source.id)):
        with pytest.raises(NotFound):
            await missing
    assert await sources.list_all() == []
    assert await sources_of(globex).get(source.id) == source


async def test_the_key_is_not_stored_in_the_clear(database: PostgresDatabase, acme: TenantId) -> None:
    source = a_knowledge_source(acme)
    await PostgresKnowledgeSources(database, acme, encryption=ReversingEncryption()).add(source)

    async with database.transaction(acme) as connection:
        rows = await (await connection.execute("SELECT t::text FROM knowledge_sources t")).fetchall()

    text = str(rows)
    assert source.name in text
    assert source.api_key.reveal() not in text
    assert source.api_key.reveal().encode().hex() not in text


async def test_those_of_one_tenant_are_counted(sources_of: SourcesOf, acme: TenantId, globex: TenantId) -> None:
    for tenant_id, name in ((acme, "one"), (acme, "two"), (globex, "one")):
        await sources_of(tenant_id).add(a_knowledge_source(tenant_id, name=name))

    assert (await sources_of(acme).count(), await sources_of(globex).count()) == (2, 1)
