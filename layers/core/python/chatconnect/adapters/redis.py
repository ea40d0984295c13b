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
from chatconnect.domain.events import KEEP_ALIVE, Frame
from chatconnect.domain.identifiers import MessageId, TenantId

_CONNECT_SECONDS = 0.5
_ANSWER_SECONDS = 2.0
_CONNECTIONS = 256
_REST_SECONDS = 3.0
_JOURNAL_SECONDS = 600
_CANCEL_SECONDS = 60
_FIRST_FRAME_SECONDS = 2.0
_SILENCE_SECONDS = 10.0
_KEEP_ALIVE_SECONDS = 15.0
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
    last one's number. Whoever makes an answer puts off its journal's end with every `append`, also without frames:
    so the time that is left tells for how long nobody was there, however long the model is silent.
    """

    def __init__(
        self,
        database: RedisDatabase,
        tenant_id: TenantId,
        *,
        silence_seconds: float = _SILENCE_SECONDS,
        keep_alive_seconds: float = _KEEP_ALIVE_SECONDS,
    ) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._silence_seconds, self._keep_alive_seconds = silence_seconds, keep_alive_seconds

    async def append(self, message_id: MessageId, frames: Sequence[Frame]) -> bool:
        """Keep frames for ten minutes, and say whether somebody asked to cancel; quiet when Redis is away."""
        key = self._key("answer", message_id)
        commands: list[Command] = [("EXISTS", self._key("cancel", message_id))]
        if frames:
            fields = [part for frame in frames for part in (frame.number, _packed(frame))]
            commands.append(("XADD", key, f"{frames[-1].number}-0", *fields))
        commands.append(("EXPIRE", key, _JOURNAL_SECONDS))
        asked, *_ = await self._database.ask_quietly(*commands) or [0]
        return bool(asked)

    async def follow(self, message_id: MessageId, after: int) -> AsyncGenerator[Frame, None]:
        """Yield the frames with a number above `after`, to the last, and signs of life. Raises NotFound, Unavailable.

        Who has the last one already gets it again: it says how the answer ended.
        """
        key, last, heard_at = self._key("answer", message_id), after, time.monotonic()
        while True:
            frames, alone = await self._read(key, last)
            for frame in frames:
                last, heard_at = frame.number, time.monotonic()
                yield frame
                if frame.is_last:
                    return
            if frames:
                continue
            waited = time.monotonic() - heard_at
            if alone is None:
                if waited > _FIRST_FRAME_SECONDS:
                    raise NotFound("answer", message_id)
            elif (end := await self._end(key)) is not None and end.number <= last:
                yield end
                return
            elif alone > self._silence_seconds:
                raise Unavailable("the rest of this answer", code="answer_interrupted")
            elif waited > self._keep_alive_seconds:
                heard_at = time.monotonic()
                yield KEEP_ALIVE

    async def request_cancel(self, message_id: MessageId) -> None:
        """Leave a note for whoever generates this answer. Raises Unavailable."""
        try:
            await self._database.client().set(self._key("cancel", message_id), b"1", ex=_CANCEL_SECONDS)
        except AWAY as error:
            raise Unavailable("cancelling") from error

    async def _read(self, key: str, after: int) -> tuple[list[Frame], float | None]:
        """Return the frames after a number, waiting a second for the next one.

        Where there are none, also for how many seconds nobody has been making the answer; None: there is no journal.
        Raises NotFound when some before them are lost.
        """
        client = self._database.client()
        try:
            answer: Any = await client.xread({key: f"{after}-0"}, block=_BLOCK_MS, count=_READ_COUNT)
            if answer:
                [(_, entries)] = answer.items() if isinstance(answer, dict) else answer
                frames = [frame for _, fields in entries for frame in _frames(fields)]
                new = [frame for frame in frames if frame.number > after]
                if new and new[0].number > after + 1:  # Redis has lost its memory since the answer began
                    raise NotFound("answer")
                return new, None
            left = await client.pttl(key)
            return [], None if left < 0 else _JOURNAL_SECONDS - left / 1000
        except AWAY as error:
            self._database.failed()
            raise Unavailable("the journal of this answer", code="resume_unavailable") from error

    async def _end(self, key: str) -> Frame | None:
        """Return the frame that ends the answer, None when it is still being made."""
        newest: Any = await self._database.client().xrevrange(key, count=1)
        frame = _frames(newest[0][1])[-1] if newest else None
        return frame if frame is not None and frame.is_last else None

    def _key(self, kind: str, message_id: MessageId) -> str:
        return f"{{{self._tenant_id}}}:{kind}:{message_id}"


def _packed(frame: Frame) -> bytes:
    return b"%b %b" % (frame.name.encode(), frame.data)


def _frames(fields: dict[bytes, bytes]) -> list[Frame]:
    """Return the frames of an entry, in their order."""
    parts = ((number, *packed.partition(b" ")) for number, packed in fields.items())
    return [Frame(int(number), name.decode(), data) for number, name, _, data in parts]
