"""Connections to Postgres: who a transaction is for, how long it may take, and what its failures mean."""

import asyncio
import logging
import re
import select
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import TypeVar
from uuid import UUID

import orjson
import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool, PoolClosed

from chatconnect.adapters.postgres.exchange import Exchanges, Results, Statement
from chatconnect.domain.errors import Unavailable
from chatconnect.domain.identifiers import AccountId, TenantId
from chatconnect.domain.secret import Secret
from chatconnect.ports.audit import origin

Row = TypeVar("Row")
Parameters = Mapping[str, object]
ConnInfo = Callable[[], Awaitable[Secret]]
"""Gives a libpq connection string or URL."""

CONNECT_SECONDS = 3
POOL_WAIT_SECONDS = 3.0

# One setting each for whose rows are seen, for how long a statement may run and, for the audit log, where the request
# comes from, until the transaction's end.
# They are part of the transaction and not of the connection, so a connection proxy may share its connections.
ENTER = """
SELECT set_config('app.tenant_id', %(tenant)s, true), set_config('app.account_id', %(account)s, true),
       set_config('statement_timeout', %(timeout)s, true), set_config('app.origin', %(origin)s, true)
"""

_PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")

# The pool logs each failed attempt to connect; the request's own error says the same.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


class PostgresDatabase:
    """A pool of connections, opened at first use and for one event loop.

    `conninfo` is asked for each new connection, so that a changed password is picked up.
    `prepare` False: never prepare statements (needed behind RDS Proxy, which would pin its connections).
    Everything raises Unavailable when Postgres does not answer in time: `connection_wait` seconds for a connection,
    `statement_timeout` seconds for a statement.
    """

    def __init__(
        self,
        conninfo: ConnInfo,
        *,
        pool_size: int = 8,
        prepare: bool = True,
        statement_timeout: float = 5.0,
        connection_wait: float = POOL_WAIT_SECONDS,
    ) -> None:
        async def revealed() -> str:
            return (await conninfo()).reveal()

        self._statement_timeout = statement_timeout
        self._opening = asyncio.Lock()
        self._exchanges = Exchanges(prepare=prepare)
        self._pool: AsyncConnectionPool[AsyncConnection] = AsyncConnectionPool(
            revealed,
            open=False,
            min_size=1,
            max_size=pool_size,
            timeout=connection_wait,
            # A failed attempt is soon given up: the next request starts another, without the pool's growing delays.
            reconnect_timeout=1.0,
            check=self._check_alive,
            configure=_configure,
            kwargs={
                "autocommit": True,
                # What the driver runs itself is rare; it would throw away the exchanges' statements with its own.
                "prepare_threshold": None,
                "connect_timeout": CONNECT_SECONDS,
                "tcp_user_timeout": int(statement_timeout * 1000),
                "application_name": "chatconnect",
            },
        )

    @asynccontextmanager
    async def transaction(self, tenant_id: TenantId) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction that sees and changes this tenant's rows alone.

        Commits at the end, rolls back when the block raises. Raises Unavailable.
        """
        async with self._transaction(tenant=tenant_id) as connection:
            yield connection

    @asynccontextmanager
    async def account_transaction(self, account_id: AccountId) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that sees of tenants' rows the account's own memberships only. Raises Unavailable."""
        async with self._transaction(account=account_id) as connection:
            yield connection

    @asynccontextmanager
    async def shared_transaction(self) -> AsyncIterator[AsyncConnection]:
        """Give a transaction that sees no tenant's rows, only what belongs to none. Raises Unavailable."""
        async with self._transaction() as connection:
            yield connection

    async def fetch(
        self,
        tenant_id: TenantId,
        row: type[Row],
        statement: str,
        parameters: Parameters,
        *,
        before: str | None = None,
    ) -> list[Row]:
        """Run one statement as the tenant's transaction and return its rows; `tenant` is added to the parameters.

        `before` is a statement to run first, with the same parameters: a lock, say. One round trip: what a pipeline
        sends up to its end is one transaction. Raises Unavailable.
        """
        results = await self._exchanged(tenant_id, [before, statement] if before else [statement], parameters)
        return results.rows(-1, row)

    async def fetch_one(
        self, tenant_id: TenantId, row: type[Row], statement: str, parameters: Parameters
    ) -> Row | None:
        """Run one statement as `fetch` does and return its first row."""
        rows = await self.fetch(tenant_id, row, statement, parameters)
        return rows[0] if rows else None

    async def run(self, tenant_id: TenantId, statement: str, parameters: Parameters) -> int:
        """Run one statement as `fetch` does and return how many rows it touched."""
        return (await self._exchanged(tenant_id, [statement], parameters)).touched(-1)

    async def check(self) -> None:
        """Ask for nothing. Raises Unavailable when Postgres does not answer."""
        async with self.shared_transaction():
            pass

    async def aclose(self) -> None:
        """Close all connections, for good: what is asked afterwards raises Unavailable."""
        await self._pool.close()

    async def _exchanged(self, tenant_id: TenantId, statements: Sequence[str], parameters: Parameters) -> Results:
        given = {"tenant": tenant_id, **parameters}
        run = [_numbered(ENTER, self._settings(tenant=tenant_id)), *(_numbered(each, given) for each in statements)]
        with database_errors():
            if self._pool.closed:
                await self._open()
            connection = await self._pool.getconn()
            try:
                async with asyncio.timeout(self._statement_timeout + 0.5):
                    return await self._exchanges.run(connection, run)
            finally:
                await self._pool.putconn(connection)

    @asynccontextmanager
    async def _transaction(self, **whose: UUID) -> AsyncIterator[AsyncConnection]:
        async with self._connection() as connection, connection.transaction():
            await connection.execute(ENTER, self._settings(**whose))
            yield connection

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        with database_errors():
            if self._pool.closed:
                await self._open()
            async with self._pool.connection() as connection, self._bounded():
                yield connection

    def _settings(self, *, tenant: UUID | None = None, account: UUID | None = None) -> dict[str, str]:
        timeout = f"{self._statement_timeout * 1000:.0f}"
        known = origin.get()
        return {
            "tenant": str(tenant or ""),
            "account": str(account or ""),
            "timeout": timeout,
            "origin": known.as_text() if known else "",
        }

    async def _open(self) -> None:
        async with self._opening:
            if self._pool.closed:
                await self._pool.open()

    @asynccontextmanager
    async def _bounded(self) -> AsyncIterator[None]:
        """End the wait for a server that has stopped answering, which its own statement_timeout cannot.

        The first limit makes the driver ask the server to cancel; the second gives the connection up.
        """
        async with asyncio.timeout(self._statement_timeout + 1.5), asyncio.timeout(self._statement_timeout + 0.5):
            yield

    async def _check_alive(self, connection: AsyncConnection) -> None:
        """Refuse a connection that the server has closed: nothing is due, yet there is input. It takes no round trip.

        One such connection means a restarted server, so all the idle ones go.
        """
        if _has_input(connection):
            await connection.close()
            await self._pool.drain()
            raise psycopg.OperationalError("the server closed the connection")


def _numbered(statement: str, given: Parameters) -> Statement:
    query, names = _with_numbers(statement)
    return query, [given[name] for name in names]


@cache
def _with_numbers(statement: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a statement with Postgres's own placeholders ($1, $2 ...), and the names of what stands for them."""
    numbers: dict[str, int] = {}

    def placeholder(found: re.Match[str]) -> str:
        if found[1] is None:
            return "%"
        return f"${numbers.setdefault(found[1], len(numbers) + 1)}"

    query = _PLACEHOLDER.sub(placeholder, statement)
    return query.encode(), tuple(numbers)


async def _configure(connection: AsyncConnection) -> None:
    set_json_dumps(orjson.dumps, connection)
    set_json_loads(orjson.loads, connection)


def _has_input(connection: AsyncConnection) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn what the driver raises when Postgres is away, too slow or stopping into Unavailable."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolClosed, TimeoutError) as error:
        raise Unavailable("the database") from error


def violated(error: psycopg.IntegrityError) -> str:
    """Return the name of the constraint that a statement broke."""
    return error.diag.constraint_name or ""
