"""What every cache of queries does."""

from dataclasses import replace

import pytest

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_queries import RedisQueryCache
from chatconnect.domain.identifiers import DocumentId, TenantId, new_id
from chatconnect.domain.knowledge import Match, Passage
from chatconnect.domain.metadata import Condition, DocumentFilters
from chatconnect.ports.query_cache import Query, QueryCacheOf, Remembered
from tests.factories import a_chunk, a_document
from tests.fakes.queries import MemoryQueryCache, StoredQueries


@pytest.fixture(params=["memory", "redis"])
def queries_of(request: pytest.FixtureRequest) -> QueryCacheOf:
    if request.param == "memory":
        stored = StoredQueries()
        return lambda tenant_id: MemoryQueryCache(stored, tenant_id)
    database: RedisDatabase = request.getfixturevalue("redis_database")
    return lambda tenant_id: RedisQueryCache(database, tenant_id)


A_QUERY = Query("Was kostet es? 🙂", "minilm", "epoch 1", None, 5, 0.25)
VECTOR = (0.6, -0.8, 0.0)


def some_passages(tenant_id: TenantId) -> list[Passage]:
    version = a_document(tenant_id).newest
    bare = replace(a_chunk(version, 1, "Grüße\n"), page=None, headings=())
    match = Match(dense_rank=2, dense_score=0.123456789, sparse_rank=1, sparse_score=7.5)
    return [Passage(a_chunk(version), 0.75, 0.123456789, match), Passage(bare, 0.5, None)]


async def test_what_was_found_is_known_afterwards(queries_of: QueryCacheOf, acme: TenantId) -> None:
    queries, passages = queries_of(acme), some_passages(acme)

    assert await queries.find(A_QUERY) == Remembered()
    await queries.keep(A_QUERY, Remembered(VECTOR, passages))

    known = await queries.find(A_QUERY)
    assert known.passages == passages
    assert known.vector == pytest.approx(VECTOR)


async def test_nothing_found_is_known_too(queries_of: QueryCacheOf, acme: TenantId) -> None:
    queries = queries_of(acme)

    await queries.keep(A_QUERY, Remembered(None, []))

    assert await queries.find(A_QUERY) == Remembered(None, [])


@pytest.mark.parametrize(
    "other",
    [
        replace(A_QUERY, knowledge="epoch 2"),
        replace(A_QUERY, documents=()),
        replace(A_QUERY, documents=(DocumentId(new_id()),)),
        replace(A_QUERY, limit=6),
        replace(A_QUERY, threshold=0.3),
        replace(A_QUERY, filters=DocumentFilters((Condition("year", (2026,)),))),
        replace(A_QUERY, rerank=True),
    ],
)
async def test_another_search_for_the_same_text_shares_its_vector_alone(
    queries_of: QueryCacheOf, acme: TenantId, other: Query
) -> None:
    queries = queries_of(acme)

    await queries.keep(A_QUERY, Remembered(VECTOR, some_passages(acme)))

    known = await queries.find(other)
    assert known.passages is None
    assert known.vector == pytest.approx(VECTOR)


@pytest.mark.parametrize("other", [replace(A_QUERY, text="was kostet es? 🙂"), replace(A_QUERY, embedder="large")])
async def test_another_text_or_embedder_shares_nothing(queries_of: QueryCacheOf, acme: TenantId, other: Query) -> None:
    queries = queries_of(acme)

    await queries.keep(A_QUERY, Remembered(VECTOR, some_passages(acme)))

    assert await queries.find(other) == Remembered()


async def test_what_one_tenant_searched_for_is_unknown_to_another(queries_of: QueryCacheOf, acme: TenantId) -> None:
    await queries_of(acme).keep(A_QUERY, Remembered(VECTOR, some_passages(acme)))

    assert await queries_of(TenantId(new_id())).find(A_QUERY) == Remembered()
