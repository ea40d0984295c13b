"""Documents as staff handle them."""

import pytest

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.errors import ChatConnectError, Conflict, NotFound, Unavailable
from chatconnect.domain.identifiers import DocumentId, TenantId, new_id
from chatconnect.domain.knowledge import Status
from chatconnect.ports.document_lists import Listing
from chatconnect.services.documents import NewUpload
from tests.unit.services.knowing import ACME, GLOBEX, PRICES, Knowledge

MB = 1024 * 1024


async def found(knowledge: Knowledge, query: str = "pro plan") -> list[str]:
    return [p.chunk.text for p in await knowledge.retrieval.search(ACME, query, Retrieval(threshold=1.0))]


async def test_a_promised_file_gets_a_form_for_itself_alone() -> None:
    knowledge = Knowledge()

    document, form = await knowledge.documents.promise(ACME, NewUpload("my prices.pdf", "application/pdf", 5 * MB))

    assert (document.title, document.newest.status, document.newest.number) == ("my prices.pdf", Status.UPLOADED, 1)
    assert form.fields["key"] == f"{ACME}/{document.id}/{document.newest.id}/my prices.pdf"
    assert form.fields["largest"] == str(document.newest.size)
    assert (await knowledge.documents.get(ACME, document.id)).newest == document.newest


@pytest.mark.parametrize(
    ("title", "shown"),
    [(None, "a.txt"), ("Our prices", "Our prices"), ("  ", "a.txt"), ("x\0y\n", "xy"), ("t" * 400, "t" * 300)],
)
async def test_the_title_is_the_file_name_unless_another_is_given(title: str | None, shown: str) -> None:
    document, _ = await Knowledge().documents.promise(ACME, NewUpload("a.txt", "text/plain", 1, title=title))

    assert document.title == shown


@pytest.mark.parametrize(
    ("upload", "code"),
    [
        (NewUpload("virus.exe", "application/pdf", 1), "unsupported_type"),
        (NewUpload("", "text/plain", 1), "invalid_filename"),
        (NewUpload("a.pdf", "image/png", 1), "type_mismatch"),
        (NewUpload("a.pdf", "text/plain", 1), "type_mismatch"),
        (NewUpload("a.pdf", "application/vnd.ms-excel", 1), "type_mismatch"),
        (NewUpload("a.txt", "application/pdf", 1), "type_mismatch"),
        (NewUpload("a.pdf", "application/pdf", 0), "empty_file"),
        (NewUpload("a.pdf", "application/pdf", -1), "empty_file"),
        (NewUpload("a.pdf", "application/pdf", 10 * MB + 1), "too_large"),
        (NewUpload("a.pdf", "application/pdf", 11 * MB), "too_large"),
    ],
)
async def test_a_file_that_cannot_become_knowledge_is_refused_before_it_is_sent(upload: NewUpload, code: str) -> None:
    knowledge = Knowledge()

    with pytest.raises(ChatConnectError) as refused:
        await knowledge.documents.promise(ACME, upload)

    assert refused.value.code == code
    assert (await knowledge.documents.page(ACME, Listing())).documents == ()


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("a.pdf", "application/pdf"), ("a.pdf", "Application/PDF; charset=binary"), ("a.pdf", ""),
        ("a.docx", "application/octet-stream"), ("a.csv", "application/vnd.ms-excel"), ("a.csv", "text/plain"),
        ("a.md", "text/x-markdown"), ("a.txt", "text/plain; charset=utf-8"),
    ],
)  # fmt: skip
async def test_what_browsers_call_a_known_type_is_taken(name: str, declared: str) -> None:
    document, _ = await Knowledge().documents.promise(ACME, NewUpload(name, declared, 10 * MB))

    assert document.newest.filename == name


async def test_a_new_version_belongs_to_its_document_and_the_old_one_answers_until_it_is_read() -> None:
    knowledge = Knowledge()
    document = await knowledge.known("The pro plan costs 49 euros.")

    renewed = await knowledge.uploaded("The pro plan costs 59 euros.", renews=document.id)
    before = await found(knowledge)
    await knowledge.ingested(renewed)

    assert (renewed.id, renewed.newest.number) == (document.id, 2)
    assert before == ["The pro plan costs 49 euros."]
    assert await found(knowledge) == ["The pro plan costs 59 euros."]
    assert knowledge.texts(document) == []
    assert document.newest.object_key not in knowledge.uploads.objects


@pytest.mark.parametrize("tenant_id", [ACME, GLOBEX])
async def test_a_document_of_nobody_or_of_another_tenant_cannot_be_renewed(tenant_id: TenantId) -> None:
    knowledge = Knowledge()
    foreign = await knowledge.known(tenant_id=GLOBEX)
    renews = foreign.id if tenant_id == GLOBEX else DocumentId(new_id())

    with pytest.raises(NotFound):
        await knowledge.uploaded(renews=renews)


async def test_another_tenants_document_cannot_be_seen_read_deleted_or_processed() -> None:
    knowledge = Knowledge()
    foreign = await knowledge.known(tenant_id=GLOBEX)

    for attempt in (
        knowledge.documents.get(ACME, foreign.id),
        knowledge.documents.chunks(ACME, foreign.id),
        knowledge.documents.delete(ACME, foreign.id),
        knowledge.documents.reprocess(ACME, foreign.id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert knowledge.texts(foreign)


async def test_a_deleted_document_leaves_neither_points_nor_files() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()

    await knowledge.documents.delete(ACME, document.id)

    assert await found(knowledge) == []
    assert knowledge.points.points == {}
    assert knowledge.uploads.objects == {}
    with pytest.raises(NotFound):
        await knowledge.documents.get(ACME, document.id)


@pytest.mark.parametrize("away", ["point_faults", "upload_faults"])
async def test_a_deletion_counts_though_its_purge_has_to_wait(away: str) -> None:
    knowledge = Knowledge()
    document = await knowledge.known()
    faults = getattr(knowledge, away)
    faults |= {"delete_version": Unavailable("the search"), "delete": Unavailable("the bucket")}

    await knowledge.documents.delete(ACME, document.id)

    assert await found(knowledge) == []
    faults.clear()
    assert (await knowledge.reconciliation.reconcile_all())["purged"] == 1
    assert knowledge.points.points == {}
    assert knowledge.uploads.objects == {}


async def test_reconciling_touches_nothing_that_still_answers() -> None:
    knowledge = Knowledge()
    await knowledge.known()
    await knowledge.known(tenant_id=GLOBEX)
    before = dict(knowledge.points.points)

    assert (await knowledge.reconciliation.reconcile_all())["purged"] == 0
    assert knowledge.points.points == before


async def test_processing_again_makes_a_new_version_while_the_old_one_answers() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()

    again = await knowledge.documents.reprocess(ACME, document.id)
    before = await found(knowledge, "pro")
    await knowledge.ingested(again)

    assert (again.newest.number, again.newest.status) == (2, Status.UPLOADED)
    assert knowledge.uploads.objects == {again.newest.object_key: PRICES.encode()}
    assert before == await found(knowledge, "pro") != []
    assert (await knowledge.documents.get(ACME, document.id)).active_version_id == again.newest.id


async def test_what_was_never_uploaded_cannot_be_processed_again() -> None:
    knowledge = Knowledge()
    document, _ = await knowledge.documents.promise(ACME, NewUpload("a.txt", "text/plain", 1))

    with pytest.raises(Conflict) as refused:
        await knowledge.documents.reprocess(ACME, document.id)

    assert refused.value.code == "not_uploaded"
    assert (await knowledge.documents.get(ACME, document.id)).newest == document.newest


async def test_the_chunks_of_a_document_come_in_order_and_in_pages() -> None:
    knowledge = Knowledge()
    document = await knowledge.known("\n\n".join("word " * 300 + str(n) for n in range(5)))

    first = await knowledge.documents.chunks(ACME, document.id, limit=3)
    rest = await knowledge.documents.chunks(ACME, document.id, after=first[-1].position)

    positions = [chunk.position for chunk in [*first, *rest]]
    assert len(first) == 3
    assert positions == list(range(len(positions)))
