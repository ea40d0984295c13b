"""The product's database: created, migrated, and opened to the role that the functions log in with."""

import asyncio
import sys
from pathlib import Path

import psycopg

from local.services import Postgres
from local.services.process import StartFailed

MIGRATIONS = Path(__file__).parents[1] / "layers" / "core" / "migrations"
_DBMATE = Path(sys.executable).with_name("dbmate")
LOGIN_ROLE = "chatconnect_login"

_MAKE_LOGIN = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{LOGIN_ROLE}') THEN
        CREATE ROLE {LOGIN_ROLE} LOGIN NOSUPERUSER NOBYPASSRLS IN ROLE chatconnect_app;
    END IF;
END $$
"""


async def prepare_database(postgres: Postgres, name: str) -> str:
    """Create the database if needed, apply what migrations are new, and return the functions' own URL of it.

    Raises StartFailed with dbmate's words when a migration fails.
    """
    if not await postgres.has_database(name):
        await postgres.create_database(name)
    await migrate(postgres.database_url(name))
    async with await psycopg.AsyncConnection.connect(postgres.database_url(name), autocommit=True) as connection:
        await connection.execute(_MAKE_LOGIN)
    return postgres.database_url(name, LOGIN_ROLE)


async def migrate(url: str) -> None:
    """Apply what migrations are new to the database at `url`, as its owner. Raises StartFailed."""
    arguments = ["--url", f"{url}?sslmode=disable", "--migrations-dir", str(MIGRATIONS), "--no-dump-schema", "up"]
    dbmate = await asyncio.create_subprocess_exec(
        str(_DBMATE), *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await dbmate.communicate()
    if dbmate.returncode != 0:
        raise StartFailed(f"the migrations failed: {said.decode(errors='replace')}")
