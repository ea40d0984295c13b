"""The embedded Qdrant server, through Qdrant's own client."""

import random
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from qdrant_client import AsyncQdrantClient
from qdrant_client import models as m
from qdrant_client.http.exceptions import UnexpectedResponse

from local.services import Qdrant, free_port

SIZE = 32
BM25 = "qdrant/bm25"
TENANT_INDEX = m.KeywordIndexParams(type=m.KeywordIndexType.KEYWORD, is_tenant=True)


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Qdrant]:
    async with Qdrant(tmp_path_factory.mktemp("qdrant"), free_port()) as running:
        yield running


@pytest.fixture(scope="module")
async def client(server: Qdrant) -> AsyncIterator[AsyncQdrantClient]:
    client = a_client(server)
    yield client
    await client.close()


@pytest.fixture
async def collection(client: AsyncQdrantClient) -> AsyncIterator[str]:
    name = f"chunks-{uuid.uuid4()}"
    await create(client, name)
    yield name
    await client.delete_collection(name)


def a_client(server: Qdrant) -> AsyncQdrantClient:
    return AsyncQdrantClient(url=server.url, cloud_inference=True, limits=httpx.Limits())


async def create(client: AsyncQdrantClient, name: str) -> None:
    await client.create_collection(
        name,
        vectors_config={"dense": m.VectorParams(size=SIZE, distance=m.Distance.COSINE)},
        sparse_vectors_config={"sparse": m.SparseVectorParams(modifier=m.Modifier.IDF)},
    )
    await client.create_payload_index(name, "tenant_id", TENANT_INDEX)


def a_vector(seed: float) -> list[float]:
    return [random.Random(f"{seed}-{axis}").gauss(0, 1) for axis in range(SIZE)]


def a_point(number: int, tenant: str = "acme", text: str = "opening hours", **payload: Any) -> m.PointStruct:
    return m.PointStruct(
        id=number,
        vector={"dense": a_vector(number), "sparse": m.Document(text=text, model=BM25)},
        payload={"tenant_id": tenant, "text": text, **payload},
    )


def where(key: str, value: Any) -> m.Filter:
    return m.Filter(must=[m.FieldCondition(key=key, match=m.MatchValue(value=value))])


def hybrid(vector: list[float], text: str, tenant: str) -> dict[str, Any]:
    words = m.Document(text=text, model=BM25)
    return {
        "prefetch": [
            m.Prefetch(query=vector, using="dense", limit=20, filter=where("tenant_id", tenant)),
            m.Prefetch(query=words, using="sparse", limit=20, filter=where("tenant_id", tenant)),
        ],
        "query": m.FusionQuery(fusion=m.Fusion.RRF),
        "query_filter": where("tenant_id", tenant),
    }


async def test_a_collection_is_described_as_it_was_created(client: AsyncQdrantClient, collection: str) -> None:
    await client.create_payload_index(collection, "page", m.PayloadSchemaType.INTEGER)
    await client.create_payload_index(collection, "version_id", m.PayloadSchemaType.UUID)

    info = await client.get_collection(collection)

    assert await client.collection_exists(collection)
    assert collection in [each.name for each in (await client.get_collections()).collections]
    assert info.config.params.vectors == {"dense": m.VectorParams(size=SIZE, distance=m.Distance.COSINE)}
    assert info.config.params.sparse_vectors == {"sparse": m.SparseVectorParams(modifier=m.Modifier.IDF)}
    assert info.payload_schema["tenant_id"].params == TENANT_INDEX
    assert set(info.payload_schema) == {"tenant_id", "page", "version_id"}
    assert info.payload_schema["version_id"].data_type == m.PayloadSchemaType.UUID


async def test_a_hybrid_query_ranks_first_what_both_vectors_find(client: AsyncQdrantClient, collection: str) -> None:
    texts = ["refunds take ten days", "our office has a garden", "parking is free", "shipping to Norway"]
    await client.upsert(collection, [a_point(number, text=text) for number, text in enumerate(texts)])

    answer = await client.query_points(collection, **hybrid(a_vector(2), "is the parking free?", "acme"), limit=3)

    assert answer.points[0].id == 2
    assert answer.points[0].payload == {"tenant_id": "acme", "text": "parking is free"}
    assert len(answer.points) == 3


async def test_a_hybrid_query_never_finds_another_tenants_points(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [a_point(1, "acme", "the code is 1234"), a_point(2, "globex", "the code is 9876")])

    answer = await client.query_points(collection, **hybrid(a_vector(1), "what is the code?", "globex"))

    assert [point.id for point in answer.points] == [2]


async def test_bm25_stems_and_ignores_stop_words(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [a_point(1, text="the dogs are running"), a_point(2, text="the cat and the bird")])

    found = await client.query_points(collection, query=m.Document(text="the dog runs", model=BM25), using="sparse")

    assert [point.id for point in found.points] == [1]


async def test_several_queries_are_answered_in_order(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [a_point(number) for number in range(5)])

    answers = await client.query_batch_points(
        collection,
        [m.QueryRequest(query=a_vector(number), using="dense", limit=1, with_payload=True) for number in (3, 1)],
    )

    assert [[point.id for point in answer.points] for answer in answers] == [[3], [1]]


async def test_a_score_threshold_drops_what_is_too_far(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [a_point(number) for number in range(20)])

    near = await client.query_points(collection, query=a_vector(7), using="dense", score_threshold=0.99)

    assert [point.id for point in near.points] == [7]
    assert near.points[0].score == pytest.approx(1.0, abs=1e-5)


async def test_points_come_back_with_payload_and_both_vectors(client: AsyncQdrantClient, collection: str) -> None:
    identity = str(uuid.uuid4())
    sparse = m.SparseVector(indices=[3, 17], values=[0.5, 2.0])
    await client.upsert(
        collection,
        [
            m.PointStruct(
                id=identity, vector={"dense": [1.0] + [0.0] * (SIZE - 1), "sparse": sparse}, payload={"n": [1]}
            )
        ],
    )

    [point] = await client.retrieve(collection, [identity], with_vectors=True)

    assert point.id == identity
    assert point.payload == {"n": [1]}
    assert point.vector == {"dense": [1.0] + [0.0] * (SIZE - 1), "sparse": sparse}
    assert await client.retrieve(collection, [str(uuid.uuid4())]) == []


async def test_points_are_deleted_by_filter_and_by_id(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [a_point(number, document=number % 3) for number in range(9)])

    await client.delete(collection, m.FilterSelector(filter=where("document", 0)))
    await client.delete(collection, m.PointIdsList(points=[1]))

    left, _ = await client.scroll(collection)
    assert sorted(point.id for point in left) == [2, 4, 5, 7, 8]
    assert (await client.count(collection)).count == 5
    assert (await client.count(collection, count_filter=where("document", 0))).count == 0


async def test_scrolling_shows_every_point_once(client: AsyncQdrantClient, collection: str) -> None:
    ids = [str(uuid.uuid4()) for _ in range(50)]
    points = [m.PointStruct(id=each, vector={"dense": a_vector(1)}, payload={}) for each in ids]
    await client.upsert(collection, points)

    seen, offset, pages = [], None, 0
    while pages == 0 or offset is not None:
        page, offset = await client.scroll(collection, limit=7, offset=offset)
        seen += [point.id for point in page]
        pages += 1

    assert pages == 8
    assert sorted(seen) == sorted(ids)


async def test_payload_is_changed_for_the_points_of_a_filter(client: AsyncQdrantClient, collection: str) -> None:
    await client.upsert(collection, [a_point(1, document="a"), a_point(2, document="b")])

    await client.set_payload(collection, {"active": True}, points=where("document", "a"))
    await client.delete_payload(collection, ["text"], points=[2])

    one, two = sorted(await client.retrieve(collection, [1, 2]), key=lambda point: point.id)
    assert one.payload == {"tenant_id": "acme", "text": "opening hours", "document": "a", "active": True}
    assert two.payload == {"tenant_id": "acme", "document": "b"}


async def test_everything_survives_a_kill(tmp_path: Path) -> None:
    async with Qdrant(tmp_path, free_port()) as server:
        client = a_client(server)
        await create(client, "chunks")
        await client.upsert("chunks", [a_point(number, text=f"chapter {number}") for number in range(300)])
        await client.delete("chunks", m.PointIdsList(points=[5]))

        await server.kill()
        await server.start()

        assert (await client.count("chunks")).count == 299
        assert (await client.get_collection("chunks")).payload_schema["tenant_id"].params == TENANT_INDEX
        answer = await client.query_points("chunks", **hybrid(a_vector(7), "chapter 7", "acme"), limit=1)
        assert answer.points[0].payload == {"tenant_id": "acme", "text": "chapter 7"}
        await client.close()


async def test_a_deleted_collection_stays_deleted(tmp_path: Path) -> None:
    async with Qdrant(tmp_path, free_port()) as server:
        client = a_client(server)
        await create(client, "chunks")
        await client.delete_collection("chunks")

        await server.restart()

        assert not await client.collection_exists("chunks")
        await create(client, "chunks")
        assert (await client.count("chunks")).count == 0
        await client.close()


async def test_what_does_not_exist_is_not_found(client: AsyncQdrantClient) -> None:
    with pytest.raises(UnexpectedResponse, match="Collection `nowhere`") as missing:
        await client.count("nowhere")

    assert missing.value.status_code == 404
    assert not await client.collection_exists("nowhere")


async def test_a_name_is_taken_only_once(client: AsyncQdrantClient, collection: str) -> None:
    with pytest.raises(UnexpectedResponse, match="already exists") as taken:
        await create(client, collection)

    assert taken.value.status_code == 409


async def test_a_write_that_does_not_fit_is_refused_whole(client: AsyncQdrantClient, collection: str) -> None:
    wrong = m.PointStruct(id=2, vector={"dense": [1.0, 2.0]}, payload={})

    with pytest.raises(UnexpectedResponse, match="expected dim: 32, got 2") as refused:
        await client.upsert(collection, [a_point(1), wrong])

    assert refused.value.status_code == 400
    assert (await client.count(collection)).count == 0


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/points/query", {"query": [0.0] * SIZE, "using": "dense", "lookup_from": {"collection": "x"}}),
        ("POST", "/points/query", {"query": {"recommend": {"positive": [1]}}}),
        ("POST", "/points/query", {"query": [0.0] * SIZE, "using": "nothing"}),
        ("POST", "/points/scroll", {"filter": {"must": [{"key": "n", "geo_radius": {"radius": 1}}]}}),
        ("POST", "/points/scroll", {"filter": {"must": [{"key": "n"}]}}),
        ("POST", "/points/scroll", {"filter": {"mustnt": []}}),
        ("POST", "/points/scroll", {"limit": "many"}),
        ("POST", "/points/delete", {}),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"sparse": {"text": "a", "model": "other/model"}}}]}),
        ("PUT", "/points?unknown=1", {"points": []}),
        ("PUT", "/index", {"field_name": "n", "field_schema": {"type": "geo"}}),
    ],
)
async def test_what_is_not_understood_is_refused(
    server: Qdrant, collection: str, method: str, path: str, body: dict[str, Any]
) -> None:
    async with httpx.AsyncClient(base_url=f"{server.url}/collections/{collection}", timeout=30) as http:
        response = await http.request(method, path, json=body)

    assert response.status_code == 400
    assert response.json()["status"]["error"]


async def test_a_route_that_is_not_served_is_an_error(server: Qdrant, collection: str) -> None:
    async with httpx.AsyncClient(base_url=f"{server.url}/collections/{collection}", timeout=30) as http:
        response = await http.post("/points/search", json={})

    assert response.status_code == 404
    assert "points/search" in response.json()["status"]["error"]


async def test_the_index_is_rebuilt_beside_the_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QDRANT_OPTIMIZE_AFTER", "50")
    async with Qdrant(tmp_path, free_port()) as server:
        client = a_client(server)
        await client.create_collection(
            "chunks",
            vectors_config={"dense": m.VectorParams(size=SIZE, distance=m.Distance.COSINE)},
            optimizers_config=m.OptimizersConfigDiff(indexing_threshold=1),
        )

        written = 0
        while (await client.get_collection("chunks")).indexed_vectors_count == 0:
            batch = range(written, written + 20)
            await client.upsert(
                "chunks", [m.PointStruct(id=each, vector={"dense": a_vector(each)}, payload={}) for each in batch]
            )
            await client.delete("chunks", [written])
            written += 20

        assert (await client.count("chunks")).count == written - written // 20
        await server.kill()
        await server.start()
        assert (await client.count("chunks")).count == written - written // 20
        found = await client.query_points("chunks", query=a_vector(written - 1), using="dense", limit=1)
        assert found.points[0].id == written - 1
        await client.close()


async def test_filters_and_order_agree_with_the_clients_own_engine(client: AsyncQdrantClient) -> None:
    name = f"parity-{uuid.uuid4()}"
    reference = AsyncQdrantClient(":memory:")
    dice = random.Random(20)
    points = [a_parity_point(dice, number) for number in range(400)]
    for each in (client, reference):
        await each.create_collection(
            name, vectors_config={"dense": m.VectorParams(size=SIZE, distance=m.Distance.COSINE)}
        )
        await each.upsert(name, points)
    await client.create_payload_index(name, "tenant_id", m.PayloadSchemaType.KEYWORD)
    await client.create_payload_index(name, "page", m.PayloadSchemaType.INTEGER)

    for round_ in range(150):
        chosen = a_filter(dice)
        query: dict[str, Any] = {"query": a_vector(round_ + 0.5), "using": "dense", "limit": 10, "query_filter": chosen}
        ours = await client.query_points(name, **query, search_params=m.SearchParams(exact=True))
        theirs = await reference.query_points(name, **query)

        assert [point.id for point in ours.points] == [point.id for point in theirs.points], chosen
        assert [point.score for point in ours.points] == pytest.approx(
            [point.score for point in theirs.points], abs=1e-5
        )
        assert (await client.count(name, chosen)).count == (await reference.count(name, chosen)).count, chosen

    await client.delete_collection(name)
    await reference.close()


def a_parity_point(dice: random.Random, number: int) -> m.PointStruct:
    payload = {
        "tenant_id": dice.choice(["acme", "globex", "initech"]),
        "page": dice.randrange(20),
        "price": dice.uniform(0, 10),
        "tags": dice.sample(["red", "green", "blue", "black"], dice.randrange(4)),
        "active": dice.random() < 0.5,
        "seen": f"2026-0{dice.randrange(1, 10)}-01T00:00:00Z",
    }
    if dice.random() < 0.2:
        del payload[dice.choice(list(payload))]
    return m.PointStruct(id=number, vector={"dense": a_vector(number)}, payload=payload)


def a_filter(dice: random.Random, depth: int = 0) -> m.Filter:
    clauses = dice.sample(["must", "should", "must_not"], dice.randrange(1, 4))
    return m.Filter(**{name: [a_condition(dice, depth) for _ in range(dice.randrange(1, 3))] for name in clauses})


def a_condition(dice: random.Random, depth: int) -> m.Condition:
    low = dice.uniform(0, 10)
    choices: list[m.Condition] = [
        m.FieldCondition(key="tenant_id", match=m.MatchValue(value=dice.choice(["acme", "globex", "nobody"]))),
        m.FieldCondition(key="tenant_id", match=m.MatchAny(any=dice.sample(["acme", "globex", "initech"], 2))),
        m.FieldCondition(key="tenant_id", match=m.MatchExcept(**{"except": ["acme"]})),
        m.FieldCondition(key="tags", match=m.MatchValue(value=dice.choice(["red", "green"]))),
        m.FieldCondition(key="tags", match=m.MatchAny(any=["blue", "black"])),
        m.FieldCondition(key="page", match=m.MatchValue(value=dice.randrange(20))),
        m.FieldCondition(key="page", match=m.MatchAny(any=[1, 2, 3])),
        m.FieldCondition(key="page", range=m.Range(gte=low, lt=low + 8)),
        m.FieldCondition(key="price", range=m.Range(gt=low)),
        m.FieldCondition(key="active", match=m.MatchValue(value=dice.random() < 0.5)),
        m.FieldCondition(key="seen", range=m.DatetimeRange(gte="2026-04-15T00:00:00Z")),
        m.FieldCondition(key="tags", values_count=m.ValuesCount(gte=2)),
        m.IsEmptyCondition(is_empty=m.PayloadField(key=dice.choice(["tags", "page"]))),
        m.HasIdCondition(has_id=dice.sample(range(400), 100)),
    ]
    if depth < 2:
        choices.append(a_filter(dice, depth + 1))
    return dice.choice(choices)
