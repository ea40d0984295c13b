"""Qdrant as the local stack runs it."""

from collections.abc import AsyncIterator

import pytest

from local.services import Qdrant, free_port


@pytest.fixture(scope="session")
async def qdrant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Qdrant]:
    async with Qdrant(tmp_path_factory.mktemp("qdrant"), free_port()) as server:
        yield server
