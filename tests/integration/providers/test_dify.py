"""Dify over real connections: what is asked, what becomes of its records, and what of its faults."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatconnect.adapters.dify import MAX_BODY, MAX_RECORDS, MAX_TEXT, DifyServers
from chatconnect.domain.errors import KnowledgeSourceFailed
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.knowledge import Passage
from chatconnect.domain.knowledge_source import KnowledgeSource
from chatconnect.domain.secret import Secret
from local.services import free_port
from tests.dify_server import KEY, DifyServer, Fault, answering, record, refusing, segment
from tests.factories import a_knowledge_source

ACME = TenantId(new_id())
TEXTS = {"Workshop.pdf": "The bicycle workshop opens at nine.", "Shipping.md": "Parcels to Iceland travel by ship."}
PATIENCE = 1.5


@pytest.fixture
async def dify() -> AsyncIterator[DifyServer]:
    async with DifyServer() as server:
        yield server


@pytest.fixture
async def servers() -> AsyncIterator[DifyServers]:
    servers = DifyServers(allow_loopback=True, seconds=PATIENCE)
    yield servers
    await servers.aclose()


def at(dify: DifyServer, **changes: Any) -> KnowledgeSource:
    fields = {"base_url": dify.url, "dataset_id": dify.holds(TEXTS), "api_key": Secret(KEY)} | changes
    return a_knowledge_source(ACME, **fields)


async def found(
    servers: DifyServers, source: KnowledgeSource, query: str = "workshop", limit: int = 5
) -> list[Passage]:
    return await servers.at(source).search(query, limit=limit, threshold=0.25)


async def failure(servers: DifyServers, source: KnowledgeSource) -> KnowledgeSourceFailed:
    with pytest.raises(KnowledgeSourceFailed) as caught:
        await found(servers, source)
    assert "workshop" not in f"{caught.value.message} {caught.value.reason} {caught.value.details}"
    assert KEY not in f"{caught.value.message} {caught.value.reason} {caught.value.details}"
    return caught.value


async def test_the_dataset_is_asked_as_it_is_set_up(servers: DifyServers, dify: DifyServer) -> None:
    source = at(dify)

    await found(servers, source)

    [asked] = dify.requests
    assert asked.path == f"/v1/datasets/{source.dataset_id}/retrieve"
    assert asked.body == {"query": "workshop"}
    assert (asked.headers["authorization"], asked.headers["content-type"]) == (f"Bearer {KEY}", "application/json")
    assert "cookie" not in asked.headers


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/"])
async def test_the_address_may_be_given_with_the_version_or_without(
    servers: DifyServers, dify: DifyServer, end: str
) -> None:
    source = at(dify, base_url=dify.url + end)

    assert await found(servers, source)
    assert dify.requests[0].path == f"/v1/datasets/{source.dataset_id}/retrieve"


@pytest.mark.parametrize(
    ("method", "threshold"),
    [("semantic_search", (True, 0.25)), ("full_text_search", (False, 0.0)), ("keyword_search", (False, 0.0))],
)
async def test_a_method_of_its_own_goes_with_limit_and_threshold(
    servers: DifyServers, dify: DifyServer, method: str, threshold: tuple[bool, float]
) -> None:
    await found(servers, at(dify, search_method=method), limit=7)

    model = dify.requests[0].body["retrieval_model"]
    assert (model["search_method"], model["top_k"], model["reranking_enable"]) == (method, 7, False)
    assert (model["score_threshold_enabled"], model["score_threshold"]) == threshold


async def test_a_record_becomes_a_passage_that_can_be_cited(servers: DifyServers, dify: DifyServer) -> None:
    source = at(dify)

    [first, _] = await found(servers, source)

    chunk = first.chunk
    assert (chunk.title, chunk.text, chunk.page) == ("Workshop.pdf", TEXTS["Workshop.pdf"], None)
    assert (chunk.start, chunk.end, chunk.position) == (0, len(chunk.text), 0)
    assert chunk.document_id == source.document_id(dify.datasets[source.dataset_id][0]["document_id"])
    assert 0 < first.score <= 1


async def test_more_than_the_limit_is_cut_although_the_dataset_gives_more(
    servers: DifyServers, dify: DifyServer
) -> None:
    assert len(await found(servers, at(dify), limit=1)) == 1


async def test_records_come_best_first_each_segment_once(servers: DifyServers, dify: DifyServer) -> None:
    low, high = segment("a", "low"), segment("b", "high")
    dify.faults.append(answering(record(low, 0.2), record(high, 0.5), record(low, 0.3), record(high, 0.4)))

    passages = await found(servers, at(dify))

    assert [(passage.chunk.text, passage.score) for passage in passages] == [("high", 0.5), ("low", 0.3)]


async def test_without_scores_the_order_is_the_servers(servers: DifyServers, dify: DifyServer) -> None:
    dify.faults.append(answering(*(record(segment(name, name), None) for name in ("b", "a", "c"))))

    passages = await found(servers, at(dify))

    assert [(passage.chunk.text, passage.score) for passage in passages] == [("b", 0.0), ("a", 0.0), ("c", 0.0)]


async def test_of_a_question_and_answer_document_both_are_passed_on(servers: DifyServers, dify: DifyServer) -> None:
    dify.faults.append(answering(record(segment("faq", "Is there a workshop?", answer="Yes, in Oslo."), 0.9)))

    [passage] = await found(servers, at(dify))

    assert passage.chunk.text == "Is there a workshop?\nYes, in Oslo."


async def test_of_a_long_segment_comes_what_is_around_its_best_child(servers: DifyServers, dify: DifyServer) -> None:
    text = f"{'before ' * 5_000}The workshop opens at nine.{' after' * 5_000}"
    children = [
        {"id": "1", "content": "before before", "position": 1, "score": 0.1},
        {"id": "2", "content": "The workshop opens at nine.", "position": 2, "score": 0.8},
    ]
    dify.faults.append(answering(record(segment("long", text), 0.8, child_chunks=children)))

    [passage] = await found(servers, at(dify))

    chunk = passage.chunk
    assert "The workshop opens at nine." in chunk.text
    assert len(chunk.text) <= MAX_TEXT
    assert text[chunk.start : chunk.end] == chunk.text


async def test_the_longest_segment_without_children_is_its_beginning(servers: DifyServers, dify: DifyServer) -> None:
    text = "  " + "word " * 20_000
    dify.faults.append(answering(record(segment("long", text), 0.8)))

    [passage] = await found(servers, at(dify))

    assert (passage.chunk.start, len(passage.chunk.text) <= MAX_TEXT) == (2, True)
    assert text[passage.chunk.start : passage.chunk.end] == passage.chunk.text


async def test_what_a_database_could_not_hold_is_left_out(servers: DifyServers, dify: DifyServer) -> None:
    odd = record(segment("ti\x00tle\u202e", "te\x00xt\x07\nmore"), 0.8)
    dify.faults.append(answering(odd, record(segment("empty", " \x00 "), 0.9), record(segment("none", ""), 0.9)))

    [passage] = await found(servers, at(dify))

    assert (passage.chunk.title, passage.chunk.text) == ("title", "text\nmore")


async def test_a_document_without_a_name_is_called_like_the_source(servers: DifyServers, dify: DifyServer) -> None:
    nameless = segment("x", "text") | {"document": None}
    dify.faults.append(answering(record(nameless, 0.8)))

    [passage] = await found(servers, at(dify, name="handbook"))

    assert passage.chunk.title == "handbook"


@pytest.mark.parametrize("query", ["word " * 400, "x" * 2_000, "工" * 2_000, "a" * 200 + " " + "b" * 200])
async def test_a_long_query_is_cut_to_what_dify_takes(servers: DifyServers, dify: DifyServer, query: str) -> None:
    await found(servers, at(dify), query)

    asked = dify.requests[0].body["query"]
    assert 125 < len(asked) <= 250
    assert query.startswith(asked)
    assert asked.strip() == asked


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
        (Fault(200, b'{"records": []}', seconds=5), "knowledge_source_failed", "within 1.5 seconds"),
    ],
)
async def test_a_fault_is_an_error_that_says_which(
    servers: DifyServers, dify: DifyServer, fault: Fault, code: str, reason: str
) -> None:
    dify.faults.append(fault)
    begun = time.perf_counter()

    error = await failure(servers, at(dify))

    assert (error.code, reason in error.reason) == (code, True), error.reason
    assert time.perf_counter() - begun < 4
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

    assert ("within 1.5 seconds" in error.reason, time.perf_counter() - begun < 4) == (True, True)


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


async def test_searches_one_after_another_share_a_connection(servers: DifyServers, dify: DifyServer) -> None:
    source = at(dify)

    for _ in range(3):
        await found(servers, source)

    assert (len(dify.requests), dify.connections) == (3, 1)


async def test_of_a_great_many_records_only_the_first_are_read(servers: DifyServers, dify: DifyServer) -> None:
    many = [record(segment(f"{number}", f"text {number}"), number / 1_000) for number in range(MAX_RECORDS + 50)]
    dify.faults.append(answering(*many))

    passages = await found(servers, at(dify), limit=20)

    assert (len(passages), passages[0].chunk.text) == (20, f"text {MAX_RECORDS - 1}")
