"""A part away or hanging: honest errors in good time, answers where they can be, and all well again afterwards."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import httpx
import psutil
import pytest

from local.services import Service, free_port
from tests.integration.api.clients import (
    PASSWORD,
    WEBSITE,
    Caller,
    Company,
    Refused,
    ended_once,
    granted,
    refused,
    text_of,
)
from tests.integration.api.conftest import Model
from tests.stack import RunningStack, without_worker

PATIENCE = 10.0  # that an outage may cost a request
RECOVERY = 60.0  # only so that a test whose parts never recover ends

Outage = Callable[[Service], Any]


@asynccontextmanager
async def stopped(service: Service) -> AsyncIterator[None]:
    await service.stop()
    try:
        yield
    finally:
        await service.start()


@asynccontextmanager
async def hanging(service: Service) -> AsyncIterator[None]:
    """Let it accept connections and answer nothing."""
    listens = [child for child in psutil.Process().children(recursive=True) if _listens(child, service.port)]
    processes = [process for main in listens for process in (main, *main.children(recursive=True))]
    assert processes
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(processes):
            process.resume()


def _listens(process: psutil.Process, port: int) -> bool:
    try:
        found = process.net_connections("tcp")
    except psutil.Error:
        return False
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in found)


outages = pytest.mark.parametrize("outage", [stopped, hanging])


@dataclass
class Outcome:
    """What became of one request of each kind: its status (of a stream: its end), and the seconds it took."""

    patience: float
    statuses: dict[str, int | str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def check(self, working: set[str]) -> None:
        """Every request came back in time; these worked, the others said honestly that something is away."""
        assert {name: spent for name, spent in self.seconds.items() if spent >= self.patience} == {}
        well = {name for name, status in self.statuses.items() if status == "done" or str(status)[0] == "2"}
        assert {name: self.statuses[name] for name in self.statuses if name not in well} == {
            name: status for name, status in self.statuses.items() if status in (503, "error") and name not in well
        }
        assert well == working


def new_question() -> str:
    """One that nobody asked before: of that nothing is cached."""
    return f"How much is gift wrapping of parcel {secrets.token_hex(4)}?"


@dataclass
class Everything:
    """One request of every kind. `askers` take turns: one alone would be slowed down for asking as fast as this.

    `usual` is how many seconds the slowest takes on this machine when nothing is away.
    """

    company: Company
    visitor: Caller
    answer: dict[str, Any]
    document: str
    askers: Iterator[Caller]
    usual: float = 0.0

    def requests(self) -> dict[str, Callable[[], Any]]:
        company, visitor, staff = self.company, self.visitor, self.company.staff
        message, assistant = self.answer["message_id"], f"/v1/assistants/{company.assistant_id}"
        upload = {"filename": "a.txt", "content_type": "", "size": 5}
        return {
            "chat": lambda: next(self.askers).post("/v1/chat", {"message": new_question()}),
            "server chat": lambda: company.server.post("/v1/chat", {"message": new_question()}),
            "config": lambda: company.http.get(f"/v1/widgets/{company.widget_key}/config", headers={"Origin": WEBSITE}),
            "token": lambda: company.http.post(f"/v1/widgets/{company.widget_key}/token", headers={"Origin": WEBSITE}),
            "conversations": lambda: visitor.get("/v1/conversations"),
            "conversation": lambda: visitor.get(f"/v1/conversations/{self.answer['conversation_id']}"),
            "feedback": lambda: visitor.post(f"/v1/messages/{message}/feedback", {"rating": "up"}),
            "cancel": lambda: visitor.post(f"/v1/chat/{message}/cancel"),
            "documents": lambda: staff.get("/v1/documents"),
            "document": lambda: staff.get(f"/v1/documents/{self.document}"),
            "chunks": lambda: staff.get(f"/v1/documents/{self.document}/chunks"),
            "promise": lambda: staff.post("/v1/documents", upload),
            "reprocess": lambda: staff.post(f"/v1/documents/{self.document}/reprocess"),
            "search": lambda: staff.post("/v1/knowledge/search", {"query": new_question()}),
            "embed": lambda: staff.post("/v1/embed", {"texts": ["gift wrapping"]}),
            "assistant": lambda: staff.get(assistant),
            "keys": lambda: staff.get("/v1/keys"),
            "widgets": lambda: staff.get("/v1/widgets"),
            "me": lambda: staff.get("/v1/auth/me"),
            "login": lambda: company.http.post("/v1/auth/login", json={"email": company.email, "password": PASSWORD}),
            "alive": lambda: company.http.get("/health"),
        }

    async def asked(self) -> Outcome:
        outcome = Outcome(PATIENCE + self.usual)

        async def one(name: str, call: Callable[[], Any]) -> None:
            begin = time.monotonic()
            response: httpx.Response = await call()
            if response.is_error:
                refused(response, response.status_code, response.json()["error"]["code"])
            outcome.statuses[name] = response.status_code
            outcome.seconds[name] = time.monotonic() - begin

        async def stream(name: str, events: Any) -> None:
            begin = time.monotonic()
            try:
                outcome.statuses[name] = ended_once(await events).name
            except Refused as refusal:
                refused(refusal.response, 503, "unavailable")
                outcome.statuses[name] = 503
            outcome.seconds[name] = time.monotonic() - begin

        requests = [one(name, call) for name, call in self.requests().items()]
        streams = {
            "stream": next(self.askers).stream(new_question()),
            "resume": self.visitor.resume(self.answer["message_id"], 0),
        }
        await asyncio.gather(*requests, *(stream(name, events) for name, events in streams.items()))
        return outcome

    async def recovered(self) -> None:
        """Everything works again, without a restart of the API."""
        async with asyncio.timeout(RECOVERY):
            while True:
                try:
                    outcome = await self.asked()
                    outcome.check(ALL)
                except AssertionError:
                    await asyncio.sleep(0.3)
                else:
                    return


ALL = {
    "chat", "server chat", "config", "token", "conversations", "conversation", "feedback", "cancel", "documents",
    "document", "chunks", "promise", "reprocess", "search", "embed", "assistant", "keys", "widgets", "me", "login",
    "alive", "stream", "resume",
}  # fmt: skip
# What widgets are and who may use them was kept; whether staff still may do anything is looked up each time.
WITHOUT_DATABASE = {"config", "token", "alive"}


@pytest.fixture(scope="module")
async def everything(company: Company, stack: RunningStack) -> Everything:
    visitor = await company.visitor()
    answer = await visitor.ask("How much is gift wrapping?")
    document = granted(await company.server.get("/v1/documents"))["documents"][0]["id"]
    askers = cycle([await company.visitor() for _ in range(20)])
    everything = Everything(company, visitor, answer, document, askers)
    well = await everything.asked()
    well.check(ALL)
    everything.usual = max(well.seconds.values())
    return everything


async def without(everything: Everything, outage: Any) -> tuple[Outcome, int, Any]:
    """Return how everything went during an outage, and what the API said of its readiness."""
    async with outage:
        outcome, (status, ready) = await asyncio.gather(everything.asked(), readiness(everything.company))
    return outcome, status, ready


async def readiness(company: Company) -> tuple[int, Any]:
    async with asyncio.timeout(PATIENCE):
        response = await company.http.get("/health/ready")
    return response.status_code, response.json()


def parts_away(ready: dict[str, Any]) -> set[str]:
    return {name for name, part in ready["parts"].items() if not part["ok"]}


@outages
async def test_without_redis_everything_works_but_cancelling(
    everything: Everything, stack: RunningStack, outage: Outage
) -> None:
    outcome, status, ready = await without(everything, outage(stack.services.redis))

    outcome.check(ALL - {"cancel"})
    assert (status, ready["status"], parts_away(ready)) == (200, "degraded", {"redis"})
    await everything.recovered()


@outages
async def test_without_qdrant_nothing_is_answered_ungrounded(
    everything: Everything, stack: RunningStack, outage: Outage
) -> None:
    outcome, status, ready = await without(everything, outage(stack.services.qdrant))

    outcome.check(ALL - {"chat", "server chat", "stream", "search"})
    assert (status, ready["status"], parts_away(ready)) == (503, "unavailable", {"qdrant"})
    await everything.recovered()


@outages
async def test_without_postgres_nothing_pretends_to_work(
    everything: Everything, stack: RunningStack, outage: Outage
) -> None:
    outcome, status, ready = await without(everything, outage(stack.services.postgres))

    outcome.check(WITHOUT_DATABASE)
    assert (status, ready["status"], parts_away(ready)) == (503, "unavailable", {"postgres"})
    await everything.recovered()


@outages
async def test_without_aws_chat_goes_on(everything: Everything, stack: RunningStack, outage: Outage) -> None:
    outcome, status, ready = await without(everything, outage(stack.services.aws))

    outcome.check(ALL - {"reprocess"})
    assert (status, set(ready["queues"].values())) == (200, {None})
    await everything.recovered()


async def test_a_restart_of_postgres_is_not_noticed(everything: Everything, stack: RunningStack) -> None:
    await stack.services.postgres.restart()

    (await everything.asked()).check(ALL)


async def test_a_provider_that_is_down_is_said_to_be(company: Company) -> None:
    await company.uses("openai", f"http://127.0.0.1:{free_port()}/v1", access_token="sk-of-nobody")
    async with asyncio.timeout(PATIENCE):
        events = await company.server.stream("How much is gift wrapping?")
        whole = await company.server.post("/v1/chat", {"message": "How much is gift wrapping?"})
    await company.uses("offline")

    assert (ended_once(events).data["code"], ended_once(events).data["retryable"]) == ("provider_failed", True)
    refused(whole, 503, "provider_failed")
    assert "four crowns" in (await company.server.ask("How much is gift wrapping?"))["text"]


async def test_a_turn_that_postgres_missed_is_written_later(
    talking: Company, model: Model, stack: RunningStack
) -> None:
    model.says("The begin", 1.0, "ning and the end.")
    server = talking.server

    async with server.streaming("Tell me a lot") as stream:
        events = [await anext(stream), await anext(stream)]
        async with stopped(stack.services.postgres):
            events += [event async for event in stream]

    assert (text_of(events), ended_once(events).name) == ("The beginning and the end.", "done")
    async with asyncio.timeout(RECOVERY):
        while True:
            messages = (await server.conversation(events[0].data["conversation_id"]))["messages"]
            if messages[-1]["status"] == "complete":
                break
            await asyncio.sleep(0.2)
    assert [message["text"] for message in messages] == ["Tell me a lot", "The beginning and the end."]
    assert messages[-1]["usage"] == events[-1].data["usage"]


async def test_redis_may_go_while_an_answer_streams(talking: Company, model: Model, stack: RunningStack) -> None:
    model.says("The begin", 1.0, "ning and the end.")

    async with talking.server.streaming("Tell me a lot") as stream:
        events = [await anext(stream), await anext(stream)]
        async with stopped(stack.services.redis):
            events += [event async for event in stream]

    assert (text_of(events), ended_once(events).name) == ("The beginning and the end.", "done")


async def test_a_stream_whose_journal_is_lost_cannot_go_on_but_can_begin_anew(
    everything: Everything, stack: RunningStack
) -> None:
    visitor = everything.visitor
    events = await visitor.stream("How much is gift wrapping?")
    await stack.services.redis.restart()

    anew, rest = await asyncio.gather(*(visitor.resume(events[0].data["message_id"], after) for after in (0, 3)))

    assert (text_of(anew), ended_once(anew).data) == (text_of(events), events[-1].data)
    assert [(event.id, event.name, event.data["code"]) for event in rest] == [(4, "error", "answer_interrupted")]


async def test_an_upload_while_qdrant_is_away_is_processed_when_it_is_back(
    company: Company, stack: RunningStack
) -> None:
    async with stopped(stack.services.qdrant):
        document_id = await company.upload("late.txt", b"The late document speaks of pelicans.")
        await asyncio.sleep(2)
        during = granted(await company.server.get(f"/v1/documents/{document_id}"))

    assert during["status"] in ("uploaded", "processing")
    assert (await company.until_processed(document_id))["status"] == "ready"
    assert "pelicans" in (await company.found("pelicans"))[0]["text"]


async def test_a_worker_that_is_restarted_goes_on(company: Company, stack: RunningStack) -> None:
    async with without_worker(stack):
        document_id = await company.upload("waiting.txt", b"The waiting document speaks of herons.")
        assert granted(await company.server.get(f"/v1/documents/{document_id}"))["status"] == "uploaded"

    assert (await company.until_processed(document_id))["status"] == "ready"
