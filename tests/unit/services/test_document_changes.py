"""What staff change about a document, and how they look into it."""

from typing import Any

import pytest

from chatconnect.domain.chunking import ChunkSettings
from chatconnect.domain.errors import ChatConnectError, Invalid, NotFound, Unavailable
from chatconnect.domain.identifiers import DocumentId, new_id
from chatconnect.services.documents import NewUpload
from tests.unit.services.knowing import ACME, GLOBEX, Knowledge

LONG = "\n\n".join("word " * 300 + str(number) for number in range(5))


async def test_metadata_given_with_an_upload_is_the_documents_and_a_new_version_leaves_it() -> None:
    knowledge = Knowledge()
    upload = NewUpload("a.txt", "text/plain", 5, metadata={"language": "de"})
    document, _ = await knowledge.documents.promise(ACME, upload)

    await knowledge.documents.promise(ACME, NewUpload("b.txt", "", 5, document.id, metadata={"language": "en"}))

    assert document.metadata == {"language": "de"}
    assert (await knowledge.documents.get(ACME, document.id)).metadata == {"language": "de"}


async def test_an_upload_with_metadata_that_cannot_be_stored_is_refused() -> None:
    knowledge = Knowledge()

    with pytest.raises(Invalid) as refused:
        await knowledge.documents.promise(ACME, NewUpload("a.txt", "", 5, metadata={"": 1}))

    assert refused.value.code == "invalid_metadata"


@pytest.mark.parametrize(
    "change",
    [{"title": " \n "}, {"title": ""}, {"metadata": {"a": "x" * 501}}, {"title": "good", "metadata": {"a\0": 1}}],
)
async def test_a_change_that_breaks_a_rule_changes_nothing(change: dict[str, Any]) -> None:
    knowledge = Knowledge()
    document = await knowledge.known()

    with pytest.raises(Invalid):
        await knowledge.documents.change(ACME, document.id, **change)

    assert await knowledge.documents.get(ACME, document.id) == document


async def test_a_title_is_cleaned_and_cut_as_at_the_upload() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()

    changed = await knowledge.documents.change(ACME, document.id, title=f"  Pri\0ces {'x' * 400}")

    assert changed.title == f"Prices {'x' * 293}"


async def test_a_new_title_reaches_the_points_and_that_may_be_repeated_when_they_were_away() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()
    knowledge.point_faults["retitle_version"] = Unavailable("the search")

    with pytest.raises(Unavailable):
        await knowledge.documents.change(ACME, document.id, title="Tariffs")
    knowledge.point_faults.clear()
    await knowledge.documents.change(ACME, document.id, title="Tariffs")

    assert {chunk.title for chunk in knowledge.points.of(document.newest.id)} == {"Tariffs"}
    assert (await knowledge.documents.get(ACME, document.id)).title == "Tariffs"


async def test_another_tenants_document_can_neither_be_changed_nor_looked_into() -> None:
    knowledge = Knowledge()
    foreign = await knowledge.known(tenant_id=GLOBEX)

    for attempt in (
        knowledge.documents.change(ACME, foreign.id, title="x"),
        knowledge.documents.download_url(ACME, foreign.id),
        knowledge.documents.neighbourhood(ACME, foreign.id, 0, each_side=1),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_the_file_of_what_answers_is_given_out_while_a_newer_one_is_on_its_way() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()
    renewed = await knowledge.uploaded("newer", renews=document.id)

    answering = await knowledge.documents.download_url(ACME, document.id)
    newer = await knowledge.documents.download_url(ACME, document.id, 2)

    assert answering == f"https://bucket.example/{document.newest.object_key}?expires=300"
    assert renewed.newest.object_key in newer


@pytest.mark.parametrize("number", [None, 1, 2])
async def test_a_file_that_is_not_there_is_not_given_out(number: int | None) -> None:
    knowledge = Knowledge()
    document, _ = await knowledge.documents.promise(ACME, NewUpload("a.txt", "", 5))

    with pytest.raises(NotFound):
        await knowledge.documents.download_url(ACME, document.id, number)


@pytest.mark.parametrize(
    ("position", "each_side", "before", "behind"),
    [(0, 1, [], [1]), (2, 1, [1], [3]), (2, 9, [0, 1], [3, 4]), (4, 2, [2, 3], []), (2, 0, [], [])],
)
async def test_a_chunk_comes_with_its_neighbours(
    position: int, each_side: int, before: list[int], behind: list[int]
) -> None:
    knowledge = Knowledge()
    document = await knowledge.known(LONG)

    found = await knowledge.documents.neighbourhood(ACME, document.id, position, each_side=each_side)

    assert found.chunk.position == position
    assert [chunk.position for chunk in found.before] == before
    assert [chunk.position for chunk in found.behind] == behind


async def test_a_chunk_behind_the_last_is_not_found() -> None:
    knowledge = Knowledge()
    document = await knowledge.known(LONG)

    with pytest.raises(NotFound):
        await knowledge.documents.neighbourhood(ACME, document.id, 5, each_side=2)


async def test_the_next_document_is_cut_as_its_tenant_wants_and_no_other_is() -> None:
    knowledge = Knowledge()
    before = await knowledge.known("One short sentence here. " * 100)

    await knowledge.documents.set_chunk_settings(ACME, ChunkSettings(100, 0))

    after = await knowledge.known("One short sentence here. " * 100)
    foreign = await knowledge.known("One short sentence here. " * 100, tenant_id=GLOBEX)
    assert (len(knowledge.texts(before)), len(knowledge.texts(after)), len(knowledge.texts(foreign))) == (1, 4, 1)
    assert await knowledge.documents.chunk_settings(ACME) == ChunkSettings(100, 0)
    assert await knowledge.documents.chunk_settings(GLOBEX) == ChunkSettings(500, 50)


async def test_what_is_processed_again_is_cut_anew() -> None:
    knowledge = Knowledge()
    document = await knowledge.known("One short sentence here. " * 100)
    await knowledge.documents.set_chunk_settings(ACME, ChunkSettings(100, 0))

    again = await knowledge.documents.reprocess(ACME, document.id)
    await knowledge.ingested(again)

    assert len(knowledge.texts(again)) == 4


async def test_many_are_deleted_at_once_and_each_says_what_became_of_it() -> None:
    knowledge = Knowledge()
    documents = [await knowledge.known(f"The plan number {number}.") for number in range(3)]
    foreign, nobodys = await knowledge.known(tenant_id=GLOBEX), DocumentId(new_id())
    ids = [documents[0].id, foreign.id, documents[1].id, nobodys, documents[0].id]

    outcomes = await knowledge.batches.delete(ACME, ids)

    assert [(each.document_id, code_of(each.error)) for each in outcomes] == [
        (documents[0].id, None), (foreign.id, "not_found"), (documents[1].id, None), (nobodys, "not_found"),
    ]  # fmt: skip
    assert [bool(knowledge.texts(document)) for document in (*documents, foreign)] == [False, False, True, True]
    assert documents[0].newest.object_key not in knowledge.uploads.objects


async def test_many_are_processed_again_though_some_cannot_be() -> None:
    knowledge = Knowledge()
    good = await knowledge.known()
    empty, _ = await knowledge.documents.promise(ACME, NewUpload("a.txt", "", 5))
    foreign = await knowledge.known(tenant_id=GLOBEX)

    outcomes = await knowledge.batches.reprocess(ACME, [empty.id, good.id, foreign.id])

    assert [code_of(each.error) for each in outcomes] == ["not_uploaded", None, "not_found"]
    assert (await knowledge.documents.get(ACME, good.id)).newest.number == 2


async def test_when_a_store_is_away_the_rest_of_a_batch_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    knowledge = Knowledge()
    documents = [await knowledge.known(f"The plan number {number}.") for number in range(20)]
    tried: list[str] = []

    async def away(key: str) -> bool:
        tried.append(key)
        raise Unavailable("the bucket")

    monkeypatch.setattr(knowledge.uploads, "exists", away)

    outcomes = await knowledge.batches.reprocess(ACME, [document.id for document in documents])

    assert {code_of(each.error) for each in outcomes} == {"unavailable"}
    assert len(tried) <= 8


def code_of(error: ChatConnectError | None) -> str | None:
    return error.code if error else None
