"""Statements that are one transaction and one round trip: one send, one wait.

The driver's own pipeline sends and waits for each of its statements, which made a fifth of what a turn costs. So this
speaks to libpq, which the driver hands out, in the same protocol: what is sent up to a sync is one transaction.
"""

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from psycopg import AsyncConnection
from psycopg.abc import Transformer
from psycopg.adapt import PyFormat
from psycopg.adapt import Transformer as DriversTransformer
from psycopg.errors import OperationalError, error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

Row = TypeVar("Row")
Statement = tuple[bytes, Sequence[object]]
"""A statement with Postgres's placeholders ($1, $2 ...), and what stands for them."""

_Kind = tuple[bytes, tuple[int, ...]]  # a statement and the types of its values
_Written = tuple[_Kind, Sequence[Any], Sequence[Any]]  # with the values and their formats, as they are sent

MOST_PREPARED = 200
"""Statements that one connection keeps prepared; each is there once for each combination of its values' types."""
_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED)


class Results:
    """What came back for each statement, in their order."""

    def __init__(self, results: Sequence[PGresult], transformer: Transformer) -> None:
        self._results, self._transformer = results, transformer

    def rows(self, position: int, make: Callable[..., Row]) -> list[Row]:
        """Return the rows of a statement, each made from its columns by their names."""
        result = self._results[position]
        names = [(result.fname(number) or b"").decode() for number in range(result.nfields)]

        def made(values: Sequence[Any]) -> Row:
            return make(**dict(zip(names, values, strict=True)))

        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, made)

    def touched(self, position: int) -> int:
        """Return how many rows a statement touched."""
        return self._results[position].command_tuples or 0


class Exchanges:
    """Runs statements, and knows which of them each connection has prepared. `prepare` False: none ever."""

    def __init__(self, *, prepare: bool) -> None:
        self._prepare = prepare
        self._known: WeakKeyDictionary[AsyncConnection, _Connection] = WeakKeyDictionary()

    async def run(self, connection: AsyncConnection, statements: Sequence[Statement]) -> Results:
        """Run the statements as one transaction.

        Raises what the server says of the first that fails, OperationalError when it says nothing more. A connection
        that is left in the middle is closed: nobody knows what would come from it next.
        """
        known = self._known.get(connection)
        if known is None:
            known = self._known[connection] = _Connection(connection, prepare=self._prepare)
        try:
            return await known.run(statements)
        except _Refused as refused:
            raise refused.error from None
        except BaseException:
            await connection.close()
            raise


class _Refused(Exception):
    """The server refuses a statement; the connection is as good as before."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class _Connection:
    """One connection: how values are written and read there, and what is prepared."""

    def __init__(self, connection: AsyncConnection, *, prepare: bool) -> None:
        self._pgconn: PGconn = connection.pgconn
        self._transformer: Transformer = DriversTransformer(connection)
        self._most = MOST_PREPARED if prepare else 0
        self._prepared: dict[_Kind, bytes] = {}
        self._numbers = count()

    async def run(self, statements: Sequence[Statement]) -> Results:
        pgconn, new = self._pgconn, dict[_Kind, bytes]()
        written = [self._written(statement, values) for statement, values in statements]
        pgconn.enter_pipeline_mode()
        preparing = [self._send(each, new) for each in written]
        pgconn.pipeline_sync()
        while pgconn.flush():
            await _ready(pgconn, writing=True)
        results = await _answers(pgconn)
        pgconn.exit_pipeline_mode()
        answers, names = iter(results), iter(new.items())
        own: list[PGresult] = []
        for prepares in preparing:
            if prepares:
                kind, name = next(names)
                if next(answers).status not in _FAILED:  # what fails afterwards does not undo this
                    self._prepared[kind] = name
            own.append(next(answers))
        if failed := next((result for result in results if result.status in _FAILED), None):
            raise _Refused(error_from_result(failed))
        return Results(own, self._transformer)

    def _written(self, statement: bytes, values: Sequence[object]) -> _Written:
        transformer = self._transformer
        texts = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        return (statement, transformer.types or ()), texts, transformer.formats or ()

    def _send(self, written: _Written, new: dict[_Kind, bytes]) -> bool:
        """Put a statement on its way, and say whether it is being prepared for the times to come."""
        kind, texts, formats = written
        name = self._prepared.get(kind) or new.get(kind)
        if name is not None:
            self._pgconn.send_query_prepared(name, texts, formats)
            return False
        statement, types = kind
        if len(self._prepared) + len(new) >= self._most:
            self._pgconn.send_query_params(statement, texts, types, formats)
            return False
        name = new[kind] = b"exchanged_%d" % next(self._numbers)
        self._pgconn.send_prepare(name, statement, types)
        self._pgconn.send_query_prepared(name, texts, formats)
        return True


async def _answers(pgconn: PGconn) -> list[PGresult]:
    """Return everything up to the sync. Raises OperationalError when the connection breaks."""
    results: list[PGresult] = []
    silent = False
    while True:
        while pgconn.is_busy():
            await _ready(pgconn)
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:  # comes after each statement's results
            if silent:
                raise OperationalError("the server closed the connection")
            silent = True
        elif result.status == ExecStatus.PIPELINE_SYNC:
            return results
        else:
            silent = False
            results.append(result)


async def _ready(pgconn: PGconn, *, writing: bool = False) -> None:
    loop, socket = asyncio.get_running_loop(), pgconn.socket
    ready: asyncio.Future[None] = loop.create_future()
    add, remove = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    add(socket, _wake, ready)
    try:
        await ready
    finally:
        remove(socket)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
