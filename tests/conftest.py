"""Fixtures of the whole suite."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, settings

from tests.aws import cloud
from tests.postgres import app_url, database, owner_url, postgres
from tests.redis import redis, redis_database
from tests.stack import RunningStack, running_stack

__all__ = ["app_url", "cloud", "database", "owner_url", "postgres", "redis", "redis_database"]

# How long an example takes tells of the machine and of who else uses it.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningStack]:
    """The running product; started at the first test that needs it."""
    async with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running
