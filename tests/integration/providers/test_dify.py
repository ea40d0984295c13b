"""Dify over real connections: what is asked, and what becomes of its records."""

import pytest

from chatconnect.adapters.dify import MAX_RECORDS, MAX_TEXT, DifyServers
from tests.dify_server import KEY, DifyServer, answering, record, segment
from tests.integration.providers.asking_dify import TEXTS, at, dify, found, servers

__all__ = ["dify", "servers"]


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
