"""The running product's tables, as the database's owner reads and changes them behind everybody's back."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from psycopg import AsyncConnection, sql

from local.configuration import DATABASE
from tests.stack import RunningStack


@asynccontextmanager
async def tables(stack: RunningStack) -> AsyncIterator[AsyncConnection]:
    """Give a connection whose statements hold at once."""
    async with await AsyncConnection.connect(stack.services.postgres.database_url(DATABASE), autocommit=True) as opened:
        yield opened


async def found_in_tables(stack: RunningStack, texts: Iterable[str]) -> list[tuple[str, str]]:
    """Look for texts in every column of every table, bytes included."""
    wanted, found = list(texts), []
    async with tables(stack) as database:
        listed = await database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [name for (name,) in await listed.fetchall()]
        assert {"api_keys", "messages", "assistant_versions"} <= set(names)
        for name in names:
            rows = await database.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(name)))
            content = "\n".join(row for (row,) in await rows.fetchall())
            found += [(name, text) for text in wanted if text in content or text.encode().hex() in content]
    return found
