"""Redis, and the journals of answers in it. Losing Redis costs strictness and resuming, never an answer."""

import time
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from chatconnect.adapters.redis_wire import Command, RedisWire
from chatconnect.domain.errors import NotFound, Unavailable
from chatconnect.domain.events import Frame
from chatconnect.domain.identifiers import MessageId, TenantId

_CONNECT_SECONDS = 0.5
_ANSWER_SECONDS = 2.0
_CONNECTIONS = 256
_REST_SECONDS = 3.0
_JOURNAL_SECONDS = 600
_CANCEL_SECONDS = 60
_FIRST_FRAME_SECONDS = 2.0
_SILENCE_SECONDS = 20.0
_BLOCK_MS = 1_000
_READ_COUNT = 500
AWAY = (RedisError, OSError, TimeoutError)


class RedisDatabase:
    """The shared client. After a failure Redis is left alone for a few seconds, so that no request waits for it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.failures = 0
        """How often Redis did not answer."""
        self._client: Redis | None = None
        self._away_until = 0.0
        self._wire = RedisWire(url, connect_seconds=_CONNECT_SECONDS, answer_seconds=_ANSWER_SECONDS)

    async def ask(self, *commands: Command) -> list[Any]:
        """Return the answers to some commands, in their order, from one round trip.

        What is asked for at the same moment, by whomever, goes together: half of what a command costs is its way.
        Raises one of AWAY: when Redis does not answer, or refuses one of the commands.
        """
        answers = await self._wire.ask(commands)
        if refused := next((answer for answer in answers if isinstance(answer, Exception)), None):
            raise refused
        return answers

    async def ask_quietly(self, *commands: Command) -> list[Any] | None:
        """Return the answers as `ask` does, for what can be done without; None when Redis is away, or just was."""
        if self.resting:
            return None
        try:
            return await self.ask(*commands)
        except AWAY:
            self.failed()
            return None

    @property
    def resting(self) -> bool:
        """Whether Redis failed so recently that it is not asked again yet."""
        return time.monotonic() < self._away_until

    def client(self) -> Redis:
        """Return the client, made at first use."""
        if self._client is None:
            pool = BlockingConnectionPool.from_url(
                self.url,
                # Whoever finds all of them in use waits for one: to be many is no sign that Redis is away.
                max_connections=_CONNECTIONS,
                timeout=_ANSWER_SECONDS,
                socket_connect_timeout=_CONNECT_SECONDS,
                socket_timeout=_ANSWER_SECONDS,
                # Once, at once: that replaces a connection that a restart has cut, and hardly delays anybody else.
                retry=Retry(NoBackoff(), 1),
            )
            self._client = Redis.from_pool(pool)
        return self._client

    def failed(self) -> None:
        """Note that Redis did not answer."""
        self.failures += 1
        self._away_until = time.monotonic() + _REST_SECONDS

    async def check(self) -> None:
        """Raise Unavailable when Redis does not answer."""
        try:
            await self.client().ping()
        except AWAY as error:
            raise Unavailable("the cache") from error

    async def aclose(self) -> None:
        """Close the connections; the next use opens new ones."""
        await self._wire.aclose()
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


class RedisJournal:
    """One tenant's answers as Redis Streams.

    An entry holds the frames that were written together, each a field named by its number; the entry's id is the
    last one's number.
    """

    def __init__(
        self, database: RedisDatabase, tenant_id: TenantId, *, silence_seconds: float = _SILENCE_SECONDS
    ) -> None:
        self._database, self._tenant_id, self._silence_seconds = database, tenant_id, silence_seconds

    async def append(self, message_id: MessageId, frames: Sequence[Frame]) -> bool:
        """Keep frames for ten minutes, and say whether somebody asked to cancel; quiet when Redis is away."""
        key = self._key("answer", message_id)
        commands: list[Command] = [("EXISTS", self._key("cancel", message_id))]
        if frames:
            fields = [part for frame in frames for part in (frame.number, _packed(frame))]
            commands += [("XADD", key, f"{frames[-1].number}-0", *fields), ("EXPIRE", key, _JOURNAL_SECONDS)]
        asked, *_ = await self._database.ask_quietly(*commands) or [0]
        return bool(asked)

    async def follow(self, message_id: MessageId, after: int) -> AsyncGenerator[Frame, None]:
        """Yield the frames with a number above `after`, to the last. Raises NotFound, Unavailable."""
        key, last, waiting_since = self._key("answer", message_id), after, time.monotonic()
        while True:
            frames, known = await self._read(key, last)
            for frame in frames:
                last, waiting_since = frame.number, time.monotonic()
                yield frame
                if frame.is_last:
                    return
            waited = time.monotonic() - waiting_since
            if not known and waited > _FIRST_FRAME_SECONDS:
                raise NotFound("answer", message_id)
            if waited > self._silence_seconds:
                raise Unavailable("the rest of this answer", code="answer_interrupted")
            if not frames and known and await self._is_complete(key, last):
                return

    async def request_cancel(self, message_id: MessageId) -> None:
        """Leave a note for whoever generates this answer. Raises Unavailable."""
        try:
            await self._database.client().set(self._key("cancel", message_id), b"1", ex=_CANCEL_SECONDS)
        except AWAY as error:
            raise Unavailable("cancelling") from error

    async def _read(self, key: str, after: int) -> tuple[list[Frame], bool]:
        """Return the frames after a number, waiting a second for the next one, and whether the journal exists."""
        client = self._database.client()
        try:
            answer: Any = await client.xread({key: f"{after}-0"}, block=_BLOCK_MS, count=_READ_COUNT)
            if answer:
                [(_, entries)] = answer.items() if isinstance(answer, dict) else answer
                frames = [frame for _, fields in entries for frame in _frames(fields)]
                return [frame for frame in frames if frame.number > after], True
            return [], bool(await client.exists(key))
        except AWAY as error:
            self._database.failed()
            raise Unavailable("the journal of this answer", code="resume_unavailable") from error

    async def _is_complete(self, key: str, last: int) -> bool:
        """Whether the frame seen last ends the stream: then whoever has seen it waits for nothing."""
        newest: Any = await self._database.client().xrevrange(key, count=1)
        if not newest:
            return False
        frame = _frames(newest[0][1])[-1]
        return frame.is_last and frame.number <= last

    def _key(self, kind: str, message_id: MessageId) -> str:
        return f"{{{self._tenant_id}}}:{kind}:{message_id}"


def _packed(frame: Frame) -> bytes:
    return b"%b %b" % (frame.name.encode(), frame.data)


def _frames(fields: dict[bytes, bytes]) -> list[Frame]:
    """Return the frames of an entry, in their order."""
    parts = ((number, *packed.partition(b" ")) for number, packed in fields.items())
    return [Frame(int(number), name.decode(), data) for number, name, _, data in parts]
