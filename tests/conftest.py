"""Fixtures of the whole suite."""

from collections.abc import AsyncIterator

import pytest

from tests.aws import cloud
from tests.postgres import app_url, database, owner_url, postgres
from tests.redis import redis, redis_database
from tests.stack import RunningStack, running_stack

__all__ = ["app_url", "cloud", "database", "owner_url", "postgres", "redis", "redis_database"]


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    """The running product; started at the first test that needs it."""
    async with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
