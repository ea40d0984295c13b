"""Dify over real connections: what is refused, breaks off or takes too long."""

import asyncio
import time

import pytest

from chatconnect.adapters.dify import MAX_BODY, DifyServers
from chatconnect.domain.secret import Secret
from local.services import free_port
from tests.dify_server import KEY, DifyServer, Fault, answering, record, refusing, segment
from tests.factories import a_knowledge_source
from tests.integration.providers.asking_dify import ACME, at, dify, failure, found, servers

__all__ = ["dify", "servers"]


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        (refusing(401, "unauthorized"), "knowledge_source_rejected", "status 401 (unauthorized)"),
        (refusing(403, "forbidden"), "knowledge_source_rejected", "status 403 (forbidden)"),
        (
            refusing(403, "forbidden", "Sorry, you have reached the knowledge base request rate limit of your plan."),
            "knowledge_source_busy",
            "status 403 (forbidden)",
        ),
        (refusing(404, "not_found"), "knowledge_source_missing", "status 404 (not_found)"),
        (refusing(429, "too_many_requests"), "knowledge_source_busy", "status 429 (too_many_requests)"),
        (refusing(400, "dataset_not_initialized"), "knowledge_source_failed", "status 400 (dataset_not_initialized)"),
        (refusing(400, "provider_quota_exceeded"), "knowledge_source_failed", "(provider_quota_exceeded)"),
        (refusing(500, "unknown"), "knowledge_source_failed", "status 500"),
        (refusing(500, f"workshop {KEY}", f"workshop {KEY}"), "knowledge_source_failed", "status 500"),
        (Fault(502, b"<html>Bad Gateway</html>"), "knowledge_source_failed", "status 502"),
        (Fault(503, b"[1]"), "knowledge_source_failed", "status 503"),
        (Fault(204), "knowledge_source_failed", "status 204"),
        (Fault(302, b"", {"location": "http://127.0.0.1/"}), "knowledge_source_failed", "status 302"),
        (Fault(200, b""), "knowledge_source_failed", "not Dify's"),
        (Fault(200, b"<html></html>"), "knowledge_source_failed", "not Dify's"),
        (Fault(200, b'{"records": [{"segment": '), "knowledge_source_failed", "not Dify's"),
        (Fault(200, b'{"records": null}'), "knowledge_source_failed", "not Dify's"),
        (Fault(200, b'{"records": {"a": 1}}'), "knowledge_source_failed", "not Dify's"),
        (Fault(200, b'{"records": ["a"]}'), "knowledge_source_failed", "not Dify's"),
        (Fault(200, b'{"records": [{"score": 1}]}'), "knowledge_source_failed", "not Dify's"),
        (Fault(200, b'{"data": []}'), "knowledge_source_failed", "not Dify's"),
        (Fault(200, b'["records"]'), "knowledge_source_failed", "not Dify's"),
        (answering(record(segment("a", "text"), 0.5) | {"score": "high"}), "knowledge_source_failed", "not Dify's"),
        (answering(record(segment("a", "text") | {"content": ["x"]}, 0.5)), "knowledge_source_failed", "not Dify's"),
        (answering(record(segment("a", "text") | {"position": "x"}, 0.5)), "knowledge_source_failed", "not Dify's"),
        (Fault(200, b"[" * 50_000), "knowledge_source_failed", "not Dify's"),
        (Fault(200, b" " * (MAX_BODY + 1)), "knowledge_source_failed", "more than 2,048 kB"),
        (Fault(500, b"x" * (MAX_BODY + 1)), "knowledge_source_failed", "more than 2,048 kB"),
        (Fault(200, b"x" * 99, {"content-encoding": "gzip"}), "knowledge_source_failed", "compressed"),
        (Fault(200, b'{"records": []}', cut=True), "knowledge_source_failed", "broke off"),
        (Fault(200, b'{"records": []}', seconds=10), "knowledge_source_failed", "within 1.5 seconds"),
    ],
)
async def test_a_fault_is_an_error_that_says_which(
    servers: DifyServers, dify: DifyServer, fault: Fault, code: str, reason: str
) -> None:
    dify.faults.append(fault)
    begun = time.perf_counter()

    error = await failure(servers, at(dify))

    assert (error.code, reason in error.reason) == (code, True), error.reason
    assert time.perf_counter() - begun < 8
    assert await found(servers, at(dify))  # the next search works


async def test_the_server_says_when_to_come_back(servers: DifyServers, dify: DifyServer) -> None:
    dify.faults.append(refusing(429, "too_many_requests", retry_after="17"))

    assert (await failure(servers, at(dify))).retry_after == 17


async def test_the_refusals_of_the_scripted_server_are_understood(servers: DifyServers, dify: DifyServer) -> None:
    closed = at(dify)
    dify.closed_datasets.add(closed.dataset_id)

    wrong_key, unknown, no_access = [
        await failure(servers, source)
        for source in (at(dify, api_key=Secret("dataset-wrong")), at(dify, dataset_id="unknown"), closed)
    ]

    assert [each.code for each in (wrong_key, unknown, no_access)] == [
        "knowledge_source_rejected", "knowledge_source_missing", "knowledge_source_rejected",
    ]  # fmt: skip


async def test_a_server_that_trickles_does_not_hold_an_answer_up(servers: DifyServers) -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            writer.close()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    begun = time.perf_counter()

    error = await failure(servers, a_knowledge_source(ACME, base_url=url))
    server.close()

    assert ("within 1.5 seconds" in error.reason, time.perf_counter() - begun < 20) == (True, True)


async def test_nobody_at_the_address_is_an_error(servers: DifyServers) -> None:
    error = await failure(servers, a_knowledge_source(ACME, base_url=f"http://127.0.0.1:{free_port()}"))

    assert (error.code, error.reason) == ("knowledge_source_failed", "the server could not be reached, or broke off")


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1", "https://169.254.169.254", "https://[::1]", "https://127.0.0.1", "https://2130706433"]
)
async def test_an_address_inside_is_never_connected_to(url: str) -> None:
    servers = DifyServers()

    error = await failure(servers, a_knowledge_source(ACME, base_url=url))

    assert error.reason == "the endpoint's address is not public"


async def test_without_leave_a_plain_address_is_not_used(dify: DifyServer) -> None:
    servers = DifyServers()

    error = await failure(servers, at(dify))

    assert (error.reason, dify.requests) == ("the server's address is not https", [])
