"""Live messages reach their audience, and harm nobody when they do not."""

import asyncio
import json

import pytest

from chatconnect.domain.errors import Forbidden
from chatconnect.domain.identifiers import TenantId, VisitorId, new_id
from chatconnect.domain.knowledge import Progress, Status
from chatconnect.ports.realtime import Audience
from chatconnect.services.document_feed import DocumentFeed
from chatconnect.services.realtime import RealtimeService
from tests.factories import a_document
from tests.fakes.listeners import MemoryConnections, MemoryListeners
from tests.fakes.publisher import MemoryPublisher
from tests.waiting import until

ACME, GLOBEX = TenantId(new_id()), TenantId(new_id())
VISITOR = VisitorId(new_id())
MESSAGE = {"type": "document", "document": {"id": "1"}}


class Realtime:
    """The service with what it uses, and the faults that it logged."""

    def __init__(self) -> None:
        self.listeners, self.connections = MemoryListeners(), MemoryConnections()
        self.faults: list[BaseException] = []
        self.service = RealtimeService(
            listeners=self.listeners,
            connections=self.connections,
            on_fault=lambda _, fault: self.faults.append(fault),
        )

    async def joined(self, **audiences: Audience) -> None:
        for connection_id, audience in audiences.items():
            await self.service.join(connection_id, audience, seconds=60)


async def test_a_message_reaches_all_of_its_audience_and_nobody_else() -> None:
    realtime = Realtime()
    await realtime.joined(a=Audience(ACME), b=Audience(ACME), other=Audience(GLOBEX), visitor=Audience(ACME, VISITOR))

    await realtime.service.publish(Audience(ACME), MESSAGE)
    await realtime.service.publish(Audience(ACME, VISITOR), {"type": "message"})

    assert [connection for connection, _ in realtime.connections.sent] == ["a", "b", "visitor"]
    assert json.loads(realtime.connections.sent[0][1]) == MESSAGE
    assert realtime.faults == []


async def test_a_connection_stays_its_audiences() -> None:
    realtime = Realtime()
    await realtime.joined(a=Audience(ACME))

    with pytest.raises(Forbidden) as refused:
        await realtime.joined(a=Audience(GLOBEX))

    assert refused.value.code == "connection_taken"


async def test_a_connection_that_is_gone_is_forgotten() -> None:
    realtime = Realtime()
    await realtime.joined(a=Audience(ACME), b=Audience(ACME))
    realtime.connections.closed.add("a")

    await realtime.service.publish(Audience(ACME), MESSAGE)

    assert list(realtime.listeners.audiences) == ["b"]
    assert [connection for connection, _ in realtime.connections.sent] == ["b"]


async def test_a_connection_that_fails_keeps_nobody_else_from_hearing_and_no_publisher_from_going_on() -> None:
    realtime = Realtime()
    await realtime.joined(a=Audience(ACME), b=Audience(ACME))
    realtime.connections.broken.add("a")

    await realtime.service.publish(Audience(ACME), MESSAGE)

    assert [connection for connection, _ in realtime.connections.sent] == ["b"]
    assert len(realtime.faults) == 1


async def test_when_nobody_knows_who_is_connected_that_is_logged_and_not_asked_again_at_once() -> None:
    realtime = Realtime()
    realtime.listeners.away = True

    for _ in range(3):
        await realtime.service.publish(Audience(ACME), MESSAGE)

    assert len(realtime.faults) == 1


async def test_whoever_publishes_never_waits_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatconnect.services.realtime._PATIENCE_SECONDS", 0.02)
    realtime = Realtime()
    await realtime.joined(a=Audience(ACME))
    monkeypatch.setattr(MemoryConnections, "send", lambda *_: asyncio.sleep(60))

    async with asyncio.timeout(30):
        await realtime.service.publish(Audience(ACME), MESSAGE)

    assert [type(fault) for fault in realtime.faults] == [TimeoutError]


async def test_what_was_noted_is_stored_before_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatconnect.services.document_feed._LATEST_SECONDS", 3600.0)
    monkeypatch.setattr("chatconnect.services.document_feed._STORED_SECONDS", 0.01)
    publisher, stored = MemoryPublisher(), list[Progress]()

    async def store(progress: Progress) -> None:
        stored.append(progress)

    async with DocumentFeed(publisher).following(a_document(ACME).newest, store) as progress:
        progress.note(Progress(7, 100, "percent"))
        await until(lambda: stored)

    assert stored == [Progress(7, 100, "percent")]
    assert len(publisher.documents) == 1


async def test_while_nothing_moves_the_same_is_told_again_and_what_was_noted_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatconnect.services.document_feed._LATEST_SECONDS", 0.05)
    publisher, stored = MemoryPublisher(), list[Progress]()
    version = a_document(ACME).newest

    async def store(progress: Progress) -> None:
        stored.append(progress)

    async with DocumentFeed(publisher).following(version, store) as progress:
        await until(lambda: len(publisher.documents) >= 2)
        progress.note(Progress(3, 10, "pages"))
        await until(lambda: publisher.documents[-1]["progress"]["unit"] == "pages")
        await progress.reached(Progress(1, 4))
        await until(lambda: publisher.documents[-1]["progress"]["done"] == 1)

    assert stored == [Progress(3, 10, "pages"), Progress(1, 4)]
    told = [document["progress"] for document in publisher.documents]
    assert len(told) >= 4
    assert [each["unit"] for each in told].index("pages") >= 2
    assert told[-1] == {"done": 1, "total": 4, "unit": "chunks"}
    assert {audience for audience, _ in publisher.published} == {Audience(ACME)}
    assert publisher.documents[0]["status"] == Status.UPLOADED.value
