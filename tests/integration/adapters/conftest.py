"""Qdrant and Redis as the local stack runs them."""

from collections.abc import AsyncIterator

import pytest

from local.services import Qdrant, Redis, free_port


@pytest.fixture(scope="session")
async def qdrant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Qdrant]:
    async with Qdrant(tmp_path_factory.mktemp("qdrant"), free_port()) as server:
        yield server


@pytest.fixture(scope="session")
async def redis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Redis]:
    async with Redis(tmp_path_factory.mktemp("redis"), free_port()) as server:
        yield server
