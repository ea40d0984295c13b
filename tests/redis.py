"""Fixtures: a Redis of the test run's own, and a client to it."""

from collections.abc import AsyncIterator

import pytest

from chatconnect.adapters.redis import RedisDatabase
from local.services import Redis, free_port


@pytest.fixture(scope="session")
async def redis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Redis]:
    """A running server."""
    async with Redis(tmp_path_factory.mktemp("redis"), free_port()) as server:
        yield server


@pytest.fixture
async def redis_database(redis: Redis) -> AsyncIterator[RedisDatabase]:
    """The functions' client."""
    database = RedisDatabase(redis.url)
    yield database
    await database.aclose()
