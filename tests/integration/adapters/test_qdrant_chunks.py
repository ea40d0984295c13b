"""What only the real engine can show of the chunk store."""

from collections.abc import AsyncIterator
from dataclasses import replace
from math import sqrt

import pytest

from chatconnect.adapters.qdrant import QdrantChunks, QdrantDatabase
from chatconnect.domain.errors import Unavailable
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId, new_id
from chatconnect.domain.knowledge import Chunk
from chatconnect.ports.knowledge import SearchScope
from local.services import Qdrant, free_port

ANYTHING = SearchScope()
NORTH, EAST = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]
NORTH_EAST = [1 / sqrt(2), 1 / sqrt(2), 0.0]


@pytest.fixture
async def store(qdrant: Qdrant) -> AsyncIterator[QdrantDatabase]:
    database = QdrantDatabase(qdrant.url, collection="chunks-test-3", dimensions=3)
    yield database
    await database.aclose()


@pytest.fixture
def acme(store: QdrantDatabase) -> QdrantChunks:
    return store.for_tenant(TenantId(new_id()))


@pytest.fixture
def globex(store: QdrantDatabase) -> QdrantChunks:
    return store.for_tenant(TenantId(new_id()))


def a_chunk(text: str, *, position: int = 0, version: VersionId | None = None, page: int | None = None) -> Chunk:
    return Chunk(
        document_id=DocumentId(new_id()),
        version_id=version or VersionId(new_id()),
        title="Handbook",
        position=position,
        text=text,
        start=10,
        end=10 + len(text),
        page=page,
        headings=("Service", "Plans"),
    )


async def found(store: QdrantChunks, text: str, vector: list[float], scope: SearchScope = ANYTHING) -> list[str]:
    passages = await store.search(text, vector, scope, limit=5, threshold=0.25)
    return [passage.chunk.text for passage in passages]


async def test_a_chunk_comes_back_as_it_was_stored(acme: QdrantChunks) -> None:
    chunk = a_chunk("The workshop opens at nine.", page=3)

    await acme.save([chunk], [NORTH])
    [passage] = await acme.search("workshop", NORTH, ANYTHING, limit=5, threshold=0.25)

    assert passage.chunk == chunk
    assert passage.score > 0


async def test_meaning_alone_and_words_alone_both_find(acme: QdrantChunks) -> None:
    await acme.save([a_chunk("alpha bravo"), a_chunk("part number ZX-81")], [NORTH, EAST])

    assert await found(acme, "nothing of that", NORTH) == ["alpha bravo"]
    assert "part number ZX-81" in await found(acme, "ZX-81", [0.0, 0.0, 1.0])


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("どうやって返品できますか?", "商品は三十日以内なら返品できます。"),
        ("怎么退款?", "未使用的商品可以全额退款。"),
        ("คืนเงินอย่างไร", "ลูกค้าขอคืนเงินได้ภายในสามสิบวัน"),
        ("반품은 어떻게 하나요?", "상품은 삼십일 안에 반품할 수 있습니다."),
        ("Was tun bei RUCKGABE?", "Die Rückgabe ist kostenlos."),
        ("error zx81", "Part number ZX-81 is out of stock."),
    ],
)
async def test_words_are_found_in_any_script_and_any_way_to_write_them(
    acme: QdrantChunks, question: str, answer: str
) -> None:
    await acme.save([a_chunk("Our garden is open all summer."), a_chunk(answer)], [EAST, EAST])

    assert await found(acme, question, NORTH) == [answer]


async def test_a_question_without_words_is_answered_by_meaning(acme: QdrantChunks) -> None:
    await acme.save([a_chunk("alpha bravo")], [NORTH])

    assert await found(acme, "?!", NORTH) == ["alpha bravo"]


async def test_a_passage_says_which_part_found_it(acme: QdrantChunks) -> None:
    await acme.save([a_chunk("warranty of frames"), a_chunk("tyres and tubes")], [NORTH_EAST, NORTH])

    first, second = await acme.search("frame warranty", NORTH, ANYTHING, limit=5, threshold=0.25)

    assert first.match is not None
    assert second.match is not None
    assert (first.match.dense_rank, first.match.sparse_rank) == (2, 1)
    assert first.match.dense_score == pytest.approx(1 / sqrt(2), abs=0.01)
    assert (first.match.sparse_score or 0) > 0
    assert (second.match.dense_rank, second.match.sparse_rank, second.match.sparse_score) == (1, None, None)


async def test_empty_words_alone_do_not_pass_the_threshold(acme: QdrantChunks) -> None:
    await acme.save([a_chunk("The price of the frame is 49 euros.")], [EAST])

    assert await found(acme, "What is the capital of Mongolia?", NORTH) == []


async def test_what_both_parts_agree_on_comes_first(acme: QdrantChunks) -> None:
    both = a_chunk("the warranty of the frame")
    await acme.save([a_chunk("tyres and tubes"), both, a_chunk("warranty")], [NORTH, NORTH_EAST, EAST])

    assert (await found(acme, "warranty frame", NORTH_EAST))[0] == both.text


async def test_another_tenants_identical_chunk_is_not_found(acme: QdrantChunks, globex: QdrantChunks) -> None:
    await globex.save([a_chunk("the code is 4711")], [NORTH])

    assert await found(acme, "the code is 4711", NORTH) == []


async def test_one_tenant_cannot_delete_anothers_version(acme: QdrantChunks, globex: QdrantChunks) -> None:
    version = VersionId(new_id())
    await globex.save([a_chunk("kept", version=version)], [NORTH])

    await acme.delete_version(version)

    assert await found(globex, "kept", NORTH) == ["kept"]


async def test_hidden_versions_and_other_documents_are_left_out(acme: QdrantChunks) -> None:
    old, new, other = a_chunk("price 10"), a_chunk("price 12"), a_chunk("price 99")
    await acme.save([old, new, other], [NORTH, NORTH, NORTH])

    scope = SearchScope(documents=(old.document_id, new.document_id), hidden=(old.version_id,))

    assert await found(acme, "price", NORTH, scope) == ["price 12"]
    assert await found(acme, "price", NORTH, SearchScope(documents=())) == []


async def test_saving_a_chunk_again_replaces_it(acme: QdrantChunks) -> None:
    chunk = a_chunk("first words")
    await acme.save([chunk], [NORTH])

    await acme.save([replace(chunk, text="other words")], [NORTH])

    assert await found(acme, "words", NORTH) == ["other words"]


async def test_a_new_title_is_found_by_its_words_the_old_one_no_more_and_nothing_else_has_changed(
    acme: QdrantChunks, globex: QdrantChunks
) -> None:
    version = VersionId(new_id())
    chunks = [a_chunk(f"line {number}", position=number, version=version) for number in range(450)]
    foreign = a_chunk("foreign", position=999, version=version)
    await acme.save([*chunks, a_chunk("other")], [NORTH] * 451)
    await globex.save([foreign], [NORTH])

    await acme.retitle_version(version, "Zeppelin")
    await acme.retitle_version(VersionId(new_id()), "Airship")

    by_meaning, by_words = await acme.both("zeppelin", NORTH, ANYTHING, limit=500)
    assert {chunk.position: chunk for chunk, _ in by_words} == {
        chunk.position: replace(chunk, title="Zeppelin") for chunk in chunks
    }
    assert len(by_meaning) == 451
    assert [score for _, score in by_meaning] == pytest.approx([1.0] * 451)
    assert [chunk.text for chunk, _ in (await acme.both("handbook", NORTH, ANYTHING, limit=500))[1]] == ["other"]
    assert [chunk.title for chunk, _ in (await globex.both("x", NORTH, ANYTHING, limit=5))[0]] == ["Handbook"]


async def test_a_deleted_version_is_gone_and_deleting_it_again_is_no_error(acme: QdrantChunks) -> None:
    chunk = a_chunk("for now")
    await acme.save([chunk], [NORTH])

    await acme.delete_version(chunk.version_id)
    await acme.delete_version(chunk.version_id)

    assert await found(acme, "for now", NORTH) == []


async def test_two_processes_may_make_the_collection_at_once(qdrant: Qdrant) -> None:
    first, second = (QdrantDatabase(qdrant.url, collection="made-twice", dimensions=3) for _ in range(2))

    await first.check()
    await second.check()
    await first.aclose()
    await second.aclose()


async def test_a_store_that_is_away_is_said_to_be_unavailable() -> None:
    nowhere = QdrantDatabase(f"http://127.0.0.1:{free_port()}", collection="any", dimensions=3)

    with pytest.raises(Unavailable) as caught:
        await nowhere.for_tenant(TenantId(new_id())).search("x", NORTH, ANYTHING, limit=1, threshold=0.5)

    assert caught.value.code == "knowledge_unavailable"
    await nowhere.aclose()


async def test_it_tells_of_which_chunks_there_are_points_and_removes_those_behind_a_place(
    acme: QdrantChunks, globex: QdrantChunks
) -> None:
    long, short = VersionId(new_id()), VersionId(new_id())
    chunks = [a_chunk(f"part {n}", position=n, version=long) for n in range(5)] + [a_chunk("all", version=short)]
    await acme.save(chunks, [NORTH] * 6)

    await globex.delete_after(long, 0)
    assert await acme.positions() == {long: set(range(5)), short: {0}}
    assert await globex.positions() == {}

    await acme.delete_after(long, 2)
    assert await acme.positions() == {long: {0, 1, 2}, short: {0}}


async def test_all_points_of_one_tenant_go_and_nobody_elses(acme: QdrantChunks, globex: QdrantChunks) -> None:
    await acme.save([a_chunk("one"), a_chunk("two")], [NORTH, EAST])
    await globex.save([a_chunk("kept")], [NORTH])

    await acme.delete_all()

    assert await acme.positions() == {}
    assert await found(globex, "kept", NORTH) == ["kept"]


async def test_where_a_collection_was_dropped_the_next_but_one_use_makes_it_again(qdrant: Qdrant) -> None:
    here, elsewhere = (QdrantDatabase(qdrant.url, collection="dropped", dimensions=3) for _ in range(2))
    chunk, tenant_id = a_chunk("for now"), TenantId(new_id())
    await here.for_tenant(tenant_id).save([chunk], [NORTH])
    await elsewhere.drop()
    await elsewhere.drop()

    with pytest.raises(Unavailable):
        await here.for_tenant(tenant_id).save([chunk], [NORTH])
    await here.for_tenant(tenant_id).save([chunk], [NORTH])

    assert await found(elsewhere.for_tenant(tenant_id), "for now", NORTH) == ["for now"]
    await here.aclose()
    await elsewhere.aclose()


async def test_where_a_collection_was_dropped_there_is_nothing_to_delete_and_the_next_use_makes_it_again(
    qdrant: Qdrant,
) -> None:
    here, elsewhere = (QdrantDatabase(qdrant.url, collection="gone", dimensions=3) for _ in range(2))
    chunk, tenant_id = a_chunk("for now"), TenantId(new_id())
    await here.for_tenant(tenant_id).save([chunk], [NORTH])
    await elsewhere.drop()

    await here.for_tenant(tenant_id).delete_version(chunk.version_id)
    await here.for_tenant(tenant_id).save([chunk], [NORTH])

    assert await found(elsewhere.for_tenant(tenant_id), "for now", NORTH) == ["for now"]
    await here.aclose()
    await elsewhere.aclose()
