"""Fixtures: a Postgres of the test run's own, migrated and empty, and connections to it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.secret import Secret
from local.database import prepare_database
from local.services import Postgres, free_port


def conninfo(url: str) -> Callable[[], Awaitable[Secret]]:
    """The URL in the form that PostgresDatabase asks for it."""

    async def give() -> Secret:
        return Secret(url)

    return give


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Postgres]:
    """A running server with the migrated database `chatconnect`."""
    async with Postgres(tmp_path_factory.mktemp("postgres"), free_port(), durable=False) as server:
        await prepare_database(server, "chatconnect")
        yield server


@pytest.fixture(scope="session")
def owner_url(postgres: Postgres) -> str:
    """The address for the role that owns the tables."""
    return postgres.database_url("chatconnect")


@pytest.fixture(scope="session")
async def app_url(postgres: Postgres) -> str:
    """The address for the role that the functions log in with."""
    return await prepare_database(postgres, "chatconnect")


@pytest.fixture(scope="session")
async def database(app_url: str) -> AsyncIterator[PostgresDatabase]:
    """The functions' database."""
    database = PostgresDatabase(conninfo(app_url), pool_size=4)
    yield database
    await database.aclose()
