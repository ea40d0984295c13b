"""What every cache of vectors does."""

import pytest

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_vectors import VECTOR_SECONDS, RedisVectorCache, vector_key
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.ports.vector_cache import VectorCacheOf
from local.services import free_port
from tests.fakes.vectors import MemoryVectorCache, StoredVectors

TEXTS = ["Was kostet es? 🙂", "Two\nlines", ""]
VECTORS = [(0.6, -0.8, 0.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)]


@pytest.fixture(params=["memory", "redis"])
def cache_of(request: pytest.FixtureRequest) -> VectorCacheOf:
    if request.param == "memory":
        stored = StoredVectors()
        return lambda tenant_id: MemoryVectorCache(stored, tenant_id)
    database: RedisDatabase = request.getfixturevalue("redis_database")
    return lambda tenant_id: RedisVectorCache(database, tenant_id)


async def test_what_was_kept_is_known_in_the_order_that_is_asked_for(cache_of: VectorCacheOf, acme: TenantId) -> None:
    await cache_of(acme).keep("small", TEXTS, VECTORS)

    found = await cache_of(acme).find("small", [TEXTS[2], "never seen", TEXTS[0]])

    assert found[0] == pytest.approx(VECTORS[2])
    assert found[1] is None
    assert found[2] == pytest.approx(VECTORS[0])


async def test_another_model_and_another_tenant_know_nothing(cache_of: VectorCacheOf, acme: TenantId) -> None:
    await cache_of(acme).keep("small", TEXTS, VECTORS)

    assert await cache_of(acme).find("large", TEXTS) == [None, None, None]
    assert await cache_of(TenantId(new_id())).find("small", TEXTS) == [None, None, None]


async def test_nothing_may_be_asked_for_and_kept(cache_of: VectorCacheOf, acme: TenantId) -> None:
    await cache_of(acme).keep("small", [], [])

    assert await cache_of(acme).find("small", []) == []


async def test_a_vector_is_kept_for_an_hour(redis_database: RedisDatabase, acme: TenantId) -> None:
    await RedisVectorCache(redis_database, acme).keep("small", TEXTS, VECTORS)

    [left] = await redis_database.ask(("TTL", vector_key(acme, "small", TEXTS[0])))

    assert VECTOR_SECONDS - 10 <= left <= VECTOR_SECONDS == 3_600


async def test_without_redis_nothing_is_known_and_nothing_fails(acme: TenantId) -> None:
    nowhere = RedisDatabase(f"redis://127.0.0.1:{free_port()}")
    cache = RedisVectorCache(nowhere, acme)

    await cache.keep("small", TEXTS, VECTORS)

    assert await cache.find("small", TEXTS) == [None, None, None]
    await nowhere.aclose()
