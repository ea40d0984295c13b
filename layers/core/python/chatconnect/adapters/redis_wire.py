"""One connection to Redis that everybody's commands share: what is asked at the same moment goes out in one piece.

The client's own pipeline borrows a connection, waits for room to write and sets a timer for each of its steps, which
came to an eighth of what a turn costs. Addresses, passwords and TLS are understood by the client all the same; whatever
blocks (reading a stream) or watches keys belongs on the client's connections.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis
from redis.asyncio.connection import SSLConnection, parse_url
from redis.exceptions import ConnectionError as Disconnected
from redis.exceptions import NoScriptError, ResponseError
from redis.exceptions import TimeoutError as TookTooLong

Command = tuple[str | bytes | int | float, ...]

_PORT = 6379
# Its types know commands of one word only.
_packed = cast("Callable[[Command], bytes]", hiredis.pack_command)


class RedisWire:
    """The shared connection: made at first use, and made again after it was lost. For one event loop."""

    def __init__(self, url: str, *, connect_seconds: float, answer_seconds: float) -> None:
        self._url, self._connect_seconds, self._answer_seconds = url, connect_seconds, answer_seconds
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()

    async def ask(self, commands: Sequence[Command]) -> list[Any]:
        """Return the answers to some commands, in their order; an error that Redis answers with is among them.

        A connection that breaks is replaced once, at once: a restart has cut it, perhaps long ago. Raises
        redis.exceptions.ConnectionError, AuthenticationError and TimeoutError.
        """
        try:
            return await (await self._connected()).ask(commands)
        except Disconnected:
            return await (await self._connected()).ask(commands)

    async def aclose(self) -> None:
        """Close the connection; the next use opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    async def _connected(self) -> "_Connection":
        if self._connection is None or self._connection.lost:
            async with self._connecting:
                if self._connection is None or self._connection.lost:
                    self._connection = await self._connect()
        return self._connection

    async def _connect(self) -> "_Connection":
        address = cast("dict[str, Any]", parse_url(self._url))
        encrypted = address.get("connection_class") is SSLConnection
        host, port = address.get("host", "localhost"), address.get("port", _PORT)
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: _Connection(self._answer_seconds),
                    host,
                    port,
                    ssl=ssl.create_default_context() if encrypted else None,
                )
        except TimeoutError:
            raise TookTooLong("no connection in time") from None
        except OSError as error:
            raise Disconnected("no connection") from error
        greeting = _greeting(address)
        if greeting:
            refused = next((each for each in await connection.ask(greeting) if isinstance(each, Exception)), None)
            if refused is not None:
                connection.abort()
                raise refused
        return connection


def _greeting(address: dict[str, Any]) -> list[Command]:
    """Return what is said first: who we are, and which of the server's databases is meant."""
    commands: list[Command] = []
    if password := address.get("password"):
        user = address.get("username")
        commands.append(("AUTH", user, password) if user else ("AUTH", password))
    if database := address.get("db"):
        commands.append(("SELECT", database))
    return commands


class _Question:
    """Some commands that were asked together, and the answers that have come."""

    __slots__ = ("answer", "answers", "expires", "missing", "packed")

    def __init__(self, commands: Sequence[Command], answer: "asyncio.Future[list[Any]]") -> None:
        self.packed = b"".join(map(_packed, commands))
        self.missing, self.answer = len(commands), answer
        self.answers: list[Any] = []
        self.expires: float  # from when it was sent on


class _Connection(asyncio.Protocol):
    """One connection; answers come in the order of their questions."""

    def __init__(self, answer_seconds: float) -> None:
        self.lost = False
        self._answer_seconds = answer_seconds
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(replyError=_refusal)
        self._transport: asyncio.Transport
        self._unsent: list[_Question] = []
        self._waiting: deque[_Question] = deque()
        self._clock: asyncio.TimerHandle | None = None

    def ask(self, commands: Sequence[Command]) -> "asyncio.Future[list[Any]]":
        """Send commands with all others of this moment, and give their answers when the last has come."""
        answer: asyncio.Future[list[Any]] = self._loop.create_future()
        if self.lost:
            answer.set_exception(Disconnected("the connection was lost"))
            return answer
        question = _Question(commands, answer)
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(question)
        return answer

    def abort(self) -> None:
        """Close at once; whoever waits is told."""
        self._fail(Disconnected("the connection was closed"))
        self._transport.abort()

    def _send(self) -> None:
        if self.lost:
            return
        unsent, self._unsent = self._unsent, []
        self._transport.write(b"".join(question.packed for question in unsent))
        # Redis has its time from now on: what passed since somebody asked went to other work of this process.
        expires = self._loop.time() + self._answer_seconds
        for question in unsent:
            question.expires = expires
        self._waiting += unsent
        if self._clock is None:
            self._clock = self._loop.call_at(expires, self._look)

    def _look(self) -> None:
        """Give the connection up when the oldest question has waited too long; one timer for all of them."""
        self._clock = None
        if not self._waiting:
            return
        if (expires := self._waiting[0].expires) > self._loop.time():
            self._clock = self._loop.call_at(expires, self._look)
        else:
            self._fail(TookTooLong("no answer in time"))
            self._transport.abort()

    def _fail(self, error: Exception) -> None:
        self.lost = True
        waiting, self._waiting, self._unsent = [*self._waiting, *self._unsent], deque(), []
        for question in waiting:
            if not question.answer.done():
                question.answer.set_exception(error)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
                self._take(answer)
        except (hiredis.HiredisError, IndexError):
            self._fail(Disconnected("not an answer of Redis"))
            self._transport.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        self._fail(Disconnected("the connection was lost"))
        if self._clock is not None:
            self._clock.cancel()

    def _take(self, answer: Any) -> None:
        question = self._waiting[0]
        question.answers.append(answer)
        question.missing -= 1
        if not question.missing:
            self._waiting.popleft()
            if not question.answer.done():  # whoever asked was cancelled
                question.answer.set_result(question.answers)


def _refusal(said: str) -> Exception:
    return NoScriptError(said) if said.startswith("NOSCRIPT") else ResponseError(said)
