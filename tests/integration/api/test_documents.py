"""Documents from the upload to the answer, through S3, the queue and the worker."""

import asyncio
import itertools
from typing import Any

import httpx
import pytest

from local.services.aws import emulator_session
from tests import files
from tests.integration.api.clients import Company, granted, refused, sent_to_s3
from tests.integration.api.conftest import OpenCompany
from tests.stack import RunningStack
from tests.waiting import until

MEBIBYTE = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4

MARKDOWN = "# Terms\n\nGeneral words.\n\n## Returns\n\nUnused lamps may be returned within 44 days.\n"
HTML = (
    "<html><head><title>Shop</title></head><body><h1>Shop</h1><p>The shop in Bergen opens at 06:45.</p></body></html>"
)
FORMATS: list[tuple[str, bytes, str, str, int | None]] = [
    (
        "Manual.pdf",
        files.make_pdf(["About the heater and its makers.", "The blue valve takes 3.7 litres of glycol."]),
        "How much glycol does the blue valve take?",
        "3.7 litres",
        2,
    ),
    (
        "Contract.docx",
        files.make_docx(["Preliminary remarks.", "The notice period for sculptors is eleven weeks."]),
        "What is the notice period for sculptors?",
        "eleven weeks",
        None,
    ),
    ("Canteen.txt", b"On Thursdays the canteen serves turnip stew.", "What is served on Thursdays?", "turnip", None),
    (
        "Prices.csv",
        b"product,price,stock\nKayak Aurora,1249 EUR,3\nKayak Borealis,1888 EUR,0\n",
        "What is the price of the Kayak Borealis?",
        "1888 EUR",
        None,
    ),
    ("Terms.md", MARKDOWN.encode(), "Within how many days may lamps be returned?", "44 days", None),
    ("Shop.html", HTML.encode(), "When does the shop in Bergen open?", "06:45", None),
]


@pytest.fixture(scope="module")
async def company(open_company: OpenCompany) -> Company:
    return await open_company("Umbrella")


async def test_every_format_becomes_knowledge_that_answers_cite(company: Company) -> None:
    documents = await asyncio.gather(*(company.ingested(name, content) for name, content, *_ in FORMATS))

    for document, (name, content, question, expected, page) in zip(documents, FORMATS, strict=True):
        assert (document["title"], document["filename"], document["size"]) == (name, name, len(content))
        assert document["progress"]["done"] == document["progress"]["total"] >= 1
        assert document["answers"]
        answer = await company.server.ask(question)
        assert expected in answer["text"]
        cited = [(citation["title"], citation["page"]) for citation in answer["citations"]]
        assert cited[0] == (name, page)
        assert expected in answer["citations"][0]["quote"]


async def test_progress_only_ever_grows(company: Company) -> None:
    pages = [f"Regulation {n} of the harbour concerns mooring {n * 7}." for n in range(100)]
    document_id = await company.upload("Harbour.pdf", files.make_pdf(pages))

    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["status"] not in ("ready", "failed"):
        seen.append(granted(await company.server.get(f"/v1/documents/{document_id}")))
        await asyncio.sleep(0.02)

    order, units = ("uploaded", "processing", "ready"), ("pages", "chunks")
    places = [
        (order.index(document["status"]), units.index(progress.get("unit", "chunks")), progress["done"])
        for document in seen
        if (progress := document["progress"])["total"]
    ]
    assert places == sorted(places)
    assert seen[-1]["progress"] == {"done": 100, "total": 100, "unit": "chunks"}
    assert any(0 < document["progress"]["done"] < document["progress"]["total"] for document in seen)
    await company.server.delete(f"/v1/documents/{document_id}")


NAMES = {
    "my old report.txt": "my old report.txt",
    "a+b=c & d.txt": "a+b=c & d.txt",
    "Übergrößen Öl.txt": "Übergrößen Öl.txt",
    "🚀 launch 日本語.txt": "🚀 launch 日本語.txt",
    'he said "hi", it\'s.txt': "he said _hi_, it's.txt",
    "100%20done.txt": "100_20done.txt",
    "../../etc/passwd.txt": "passwd.txt",
    "l" * 300 + ".txt": "l" * 196 + ".txt",
    "💾" * 300 + ".txt": "💾" * 196 + ".txt",
    "${filename}.txt": "$_filename_.txt",
}


async def test_odd_file_names_are_kept_as_far_as_they_can_be(company: Company) -> None:
    async def ingested(number: int, name: str) -> dict[str, Any]:
        return await company.ingested(name, f"The code of the odd file is QX{number}77.".encode())

    documents = await asyncio.gather(*itertools.starmap(ingested, enumerate(NAMES)))

    assert [document["title"] for document in documents] == list(NAMES.values())
    for number, document in enumerate(documents):
        best = (await company.found(f"QX{number}77"))[0]
        assert (best["title"], f"QX{number}77" in best["text"]) == (document["title"], True)


async def test_a_title_may_be_given(company: Company) -> None:
    document = await company.ingested("x.txt", b"The titled text speaks of zeppelins.", title="  Zeppelins & more ")

    assert document["title"] == "Zeppelins & more"
    assert (await company.found("zeppelins"))[0]["title"] == "Zeppelins & more"


@pytest.mark.parametrize(
    ("filename", "size", "content_type", "code"),
    [
        ("big.txt", 11 * MEBIBYTE, "text/plain", "too_large"),
        ("empty.txt", 0, "text/plain", "empty_file"),
        ("less.txt", -5, "text/plain", "empty_file"),
        ("program.exe", 100, "", "unsupported_type"),
        ("none", 100, "", "unsupported_type"),
        (" / ", 100, "", "invalid_filename"),
        ("a.pdf", 100, "image/png", "type_mismatch"),
    ],
)
async def test_a_file_that_cannot_be_taken_is_refused_before_it_is_sent(
    company: Company, filename: str, size: int, content_type: str, code: str
) -> None:
    body = {"filename": filename, "size": size, "content_type": content_type}

    refused(await company.server.post("/v1/documents", body), 400, code)


async def test_a_file_larger_than_its_promise_is_refused_by_s3(company: Company) -> None:
    promised = granted(await company.promise("lie.txt", 100))

    for content in (b"x" * 11 * MEBIBYTE, b""):
        assert (await sent_to_s3(promised["upload"], "lie.txt", content)).status_code in (400, 403)

    assert granted(await company.server.get(f"/v1/documents/{promised['document']['id']}"))["status"] == "uploaded"
    await company.ingested("honest.txt", b"An honest file about marmots.")


async def test_the_form_takes_no_other_key_or_type(company: Company) -> None:
    form = granted(await company.promise("mine.txt", 100))["upload"]
    altered = [{"key": form["fields"]["key"].replace("mine", "yours")}, {"Content-Type": "text/html"}]

    for change in altered:
        answer = await sent_to_s3(form | {"fields": form["fields"] | change}, "mine.txt", b"text")
        assert answer.status_code == 403


BAD = [
    ("picture.txt", PNG, "unsupported_type"),
    ("letter.docx", files.make_pdf(["x"]), "type_mismatch"),
    ("login.csv", b"<!DOCTYPE html><html>Log in first</html>", "type_mismatch"),
    ("locked.pdf", files.make_pdf(["x"], password="secret"), "encrypted"),
    ("locked.docx", files.make_encrypted_docx(), "encrypted"),
    ("cut.pdf", files.make_truncated_pdf(), "damaged"),
    ("blank.txt", b" \r\n\t ", "empty"),
    ("blank.docx", files.make_docx([]), "empty"),
    ("scan.pdf", files.make_scanned_pdf(2), "no_text"),
    ("laughs.docx", files.make_entity_bomb(), "too_complex"),
    ("zip.docx", files.make_docx_bomb(), "too_complex"),
    ("bomb.pdf", files.make_pdf_bomb(), "parser_memory"),
]


async def test_a_bad_file_fails_with_its_reason_and_blocks_no_other(company: Company) -> None:
    uploads = [await company.upload(name, content) for name, content, _ in BAD]
    good = await company.upload("ragged.csv", b"name,town\nAda,Turin,extra\nBo\n\nCy,Oporto\n")

    documents = [await company.until_processed(document_id) for document_id in [*uploads, good]]

    *failed, ragged = documents
    assert [document["failure"]["code"] for document in failed] == [code for *_, code in BAD]
    for document in failed:
        assert document["status"] == "failed"
        assert document["failure"]["message"].endswith(".")
        assert not document["answers"]
    assert ragged["status"] == "ready"
    assert "Oporto" in (await company.found("Cy from Oporto"))[0]["text"]


async def test_the_same_file_may_come_twice(company: Company, stack: RunningStack) -> None:
    content = b"Twice told: the lighthouse keeper is called Halvorsen."
    promised = granted(await company.promise("twice.txt", len(content)))
    for _ in range(2):
        assert (await sent_to_s3(promised["upload"], "twice.txt", content)).is_success
    document = await company.until_processed(promised["document"]["id"])
    again = await company.ingested("twice.txt", content)

    assert (document["status"], document["version"], again["version"]) == ("ready", 1, 1)
    found = await company.found("Who is the lighthouse keeper?", filters={"document_ids": [document["id"]]})
    assert [result["text"] for result in found] == [content.decode()]
    assert len(await points(stack, document["id"])) == 1


async def test_a_new_version_replaces_the_old_one(company: Company, stack: RunningStack) -> None:
    document = await company.ingested("tariff.txt", b"The tariff for walruses is OLD-4411.")
    [old_key] = keys(stack, company, document["id"])

    await company.upload("tariff 2.txt", b"The tariff for walruses is NEW-9922.", document_id=document["id"])
    renewed = await company.until_processed(document["id"], version=2)

    assert (renewed["status"], renewed["version"], renewed["title"]) == ("ready", 2, "tariff.txt")
    texts = [result["text"] for result in await company.found("tariff for walruses OLD-4411")]
    assert any("NEW-9922" in text for text in texts)
    assert not any("OLD-4411" in text for text in texts)
    chunks = granted(await company.server.get(f"/v1/documents/{document['id']}/chunks"))["chunks"]
    assert [chunk["text"] for chunk in chunks] == ["The tariff for walruses is NEW-9922."]
    await until(lambda: old_key not in keys(stack, company, document["id"]))
    assert len(await points(stack, document["id"])) == 1


async def test_a_bad_new_version_leaves_the_old_one_answering(company: Company) -> None:
    document = await company.ingested("fees.txt", b"The fee for narwhals is KEEP-31.")

    await company.upload("fees.txt", PNG, document_id=document["id"])
    failed = await company.until_processed(document["id"], version=2)

    assert (failed["status"], failed["answers"]) == ("failed", True)
    versions = granted(await company.server.get(f"/v1/documents/{document['id']}/versions"))["versions"]
    told = [(each["version"], each["status"], each["answers"], each["failure"] is None) for each in versions]
    assert told == [(2, "failed", False, False), (1, "ready", True, True)]
    assert "KEEP-31" in (await company.server.ask("What is the fee for narwhals?"))["text"]


async def test_a_deleted_document_is_gone_everywhere(company: Company, stack: RunningStack) -> None:
    document = await company.ingested("gone.txt", b"The password of the submarine is TORPEDO-5.")
    path = f"/v1/documents/{document['id']}"
    assert keys(stack, company, document["id"])

    deleted = await company.server.delete(path)

    assert deleted.status_code == 204
    assert not any("TORPEDO-5" in found["text"] for found in await company.found("password of the submarine"))
    assert "TORPEDO-5" not in (await company.server.ask("What is the password of the submarine?"))["text"]
    for response in (
        await company.server.get(path),
        await company.server.get(f"{path}/chunks"),
        await company.server.post(f"{path}/reprocess"),
        await company.server.delete(path),
        await company.promise("gone.txt", 10, document_id=document["id"]),
    ):
        refused(response, 404, "not_found")
    assert not keys(stack, company, document["id"])
    assert not await points(stack, document["id"])


async def test_a_document_deleted_before_it_was_read_stays_gone(company: Company, stack: RunningStack) -> None:
    content = "\n\n".join(f"Paragraph {n} about basilisks. " * 30 for n in range(200)).encode()
    document_id = await company.upload("early.txt", content)

    assert (await company.server.delete(f"/v1/documents/{document_id}")).status_code == 204
    await company.ingested("after.txt", b"What came after the basilisk.")

    refused(await company.server.get(f"/v1/documents/{document_id}"), 404, "not_found")
    await until(lambda: not keys(stack, company, document_id))
    assert not await points(stack, document_id)


async def test_a_document_can_be_read_again(company: Company) -> None:
    document = await company.ingested("again.txt", b"The archive of the choir holds 518 scores.")
    path = f"/v1/documents/{document['id']}/reprocess"

    answer = await company.server.post(path)
    during = await company.server.ask("How many scores does the choir hold?")
    after = await company.until_processed(document["id"], version=2)

    assert (answer.status_code, answer.json()["version"]) == (202, 2)
    assert "518" in during["text"]
    assert after["status"] == "ready"
    assert "518" in (await company.server.ask("How many scores does the choir hold?"))["text"]


async def test_what_was_never_uploaded_cannot_be_read_again(company: Company) -> None:
    promised = granted(await company.promise("never.txt", 10))["document"]

    refused(await company.server.post(f"/v1/documents/{promised['id']}/reprocess"), 409, "not_uploaded")


async def test_documents_are_listed_newest_first_in_pages(open_company: OpenCompany) -> None:
    company = await open_company("Hooli")
    made = [granted(await company.promise(f"{n}.txt", 10))["document"]["id"] for n in range(5)]

    first = granted(await company.server.get("/v1/documents", limit=3))
    rest = granted(await company.server.get("/v1/documents", limit=3, before=first["next_before"]))

    assert [document["id"] for document in first["documents"] + rest["documents"]] == made[::-1]
    assert rest["next_before"] is None


def keys(stack: RunningStack, company: Company, document_id: str) -> list[str]:
    """What S3 holds of a document, with all versions of every object."""
    s3 = emulator_session().client("s3", endpoint_url=stack.services.aws.url)
    prefix = f"{company.tenant_id}/{document_id}/"
    listed = s3.list_object_versions(Bucket=stack.resources.bucket, Prefix=prefix)
    return [entry["Key"] for entry in listed.get("Versions", [])]


async def points(stack: RunningStack, document_id: str) -> list[Any]:
    """What Qdrant holds of a document, asked past the product."""
    wanted = {"must": [{"key": "document_id", "match": {"value": document_id}}]}
    async with httpx.AsyncClient(base_url=stack.services.qdrant.url, timeout=30, trust_env=False) as qdrant:
        names = [found["name"] for found in (await qdrant.get("/collections")).json()["result"]["collections"]]
        found = []
        for name in names:
            answer = await qdrant.post(f"/collections/{name}/points/scroll", json={"filter": wanted, "limit": 100})
            found += answer.json()["result"]["points"]
    return found
