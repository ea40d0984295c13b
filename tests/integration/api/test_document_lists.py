"""The list of documents and what staff do to them over the API: filters, order, metadata, many at once, cutting."""

from typing import Any

import httpx
import pytest

from tests.integration.api.clients import Company, granted, refused
from tests.integration.api.conftest import OpenCompany

HANDBOOK = {
    "Rules 2024.txt": {"language": "en", "year": 2024, "public": True},
    "Regeln 2025.txt": {"language": "de", "year": 2025, "public": True},
    "Rules 2026.txt": {"language": "en", "year": 2026, "public": False},
}


@pytest.fixture(scope="module")
async def company(open_company: OpenCompany) -> Company:
    """A company with three documents that say nearly the same, and one that never arrived."""
    company = await open_company("Initrode")
    for number, (name, metadata) in enumerate(HANDBOOK.items()):
        await company.ingested(name, f"The parking rule of this year has number {number}.".encode(), metadata=metadata)
    granted(await company.promise("Lost.md", 7_000))
    return company


async def titles(company: Company, **asked: Any) -> list[str]:
    return [document["title"] for document in granted(await company.server.get("/v1/documents", **asked))["documents"]]


async def searched(company: Company, metadata: dict[str, Any], **filters: Any) -> set[str]:
    wanted = {"metadata": metadata, **filters}
    return {each["title"] for each in await company.found("parking rule number", threshold=0, filters=wanted)}


async def test_documents_are_listed_by_status_type_title_and_metadata_with_counts(company: Company) -> None:
    everything = granted(await company.server.get("/v1/documents", limit=2))
    ready = granted(await company.server.get("/v1/documents", status="ready", text="rules"))

    assert (everything["total"], len(everything["documents"])) == (4, 2)
    assert everything["counts"] == {"uploaded": 1, "processing": 0, "ready": 3, "failed": 0}
    assert (ready["total"], ready["counts"]["uploaded"], ready["next_cursor"]) == (2, 0, None)
    assert await titles(company, type="md") == ["Lost.md"]
    assert await titles(company, metadata='{"year": {"gte": 2025}, "public": true}') == ["Regeln 2025.txt"]
    assert await titles(company, since="2999-01-01") == []
    assert everything["documents"][1]["metadata"] == HANDBOOK["Rules 2026.txt"]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"sort": "title"}, ["Lost.md", "Regeln 2025.txt", "Rules 2024.txt", "Rules 2026.txt"]),
        ({"sort": "title", "order": "desc"}, ["Rules 2026.txt", "Rules 2024.txt", "Regeln 2025.txt", "Lost.md"]),
        ({"order": "asc"}, [*HANDBOOK, "Lost.md"]),
        ({}, ["Lost.md", *reversed(HANDBOOK)]),
    ],
)
async def test_pages_in_any_order_follow_their_cursor(
    company: Company, asked: dict[str, str], expected: list[str]
) -> None:
    seen, cursor = list[str](), dict[str, str]()
    while True:
        page = granted(await company.server.get("/v1/documents", limit=1, **asked, **cursor))
        seen += [document["title"] for document in page["documents"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert seen == expected


async def test_the_largest_come_first_when_asked_for(company: Company) -> None:
    assert (await titles(company, sort="size"))[0] == "Lost.md"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"cursor": "nonsense"}, "invalid_cursor"),
        ({"cursor": "WzFd"}, "invalid_cursor"),
        ({"cursor": "WyJzaXplIix0cnVlLDFlOTksIngiXQ", "sort": "size"}, "invalid_cursor"),
        ({"sort": "colour"}, "invalid_request"),
        ({"status": "lost"}, "invalid_request"),
        ({"type": "exe"}, "invalid_request"),
        ({"metadata": "{"}, "invalid_request"),
        ({"metadata": '{"a": {"near": 1}}'}, "invalid_request"),
        ({"metadata": '{"a": {"gt": 1, "lt": "b"}}'}, "invalid_metadata"),
        ({"since": "yesterday"}, "invalid_request"),
    ],
)
async def test_a_list_that_cannot_be_is_refused(company: Company, asked: dict[str, str], code: str) -> None:
    refused(await company.server.get("/v1/documents", **asked), 400, code)


async def test_a_cursor_of_another_order_is_refused(company: Company) -> None:
    cursor = granted(await company.server.get("/v1/documents", limit=1))["next_cursor"]

    refused(await company.server.get("/v1/documents", sort="title", cursor=cursor), 400, "invalid_cursor")


async def test_a_search_finds_what_its_filters_mean(company: Company) -> None:
    assert await searched(company, {}) == set(HANDBOOK)
    assert await searched(company, {"language": "en"}) == {"Rules 2024.txt", "Rules 2026.txt"}
    assert await searched(company, {"language": ["de", "fr"]}) == {"Regeln 2025.txt"}
    assert await searched(company, {"year": {"gt": 2024, "lte": 2026}}) == {"Regeln 2025.txt", "Rules 2026.txt"}
    assert await searched(company, {"language": "en", "public": True}) == {"Rules 2024.txt"}
    assert await searched(company, {"language": "fr"}) == set()
    assert await searched(company, {}, created_before="2000-01-01") == set()


async def test_changed_metadata_and_titles_hold_at_once(company: Company) -> None:
    document = await company.ingested("Draft.txt", b"The parking rule draft has number 9.", metadata={"state": "draft"})
    path, server = f"/v1/documents/{document['id']}", company.server
    assert await searched(company, {"state": "final"}) == set()

    changed = granted(await server.request("PATCH", path, json={"metadata": {"state": "final"}}))
    found_final = await searched(company, {"state": "final"})
    renamed = granted(await server.request("PATCH", path, json={"title": "Finished.txt"}))

    assert (changed["title"], changed["metadata"]) == ("Draft.txt", {"state": "final"})
    assert found_final == {"Draft.txt"}
    assert (renamed["title"], renamed["metadata"]) == ("Finished.txt", {"state": "final"})
    assert await searched(company, {"state": "final"}) == {"Finished.txt"}
    assert (await company.found("finished"))[0]["title"] == "Finished.txt"
    answer = await server.ask("What number has the parking rule draft?")
    assert "Finished.txt" in [citation["title"] for citation in answer["citations"]]
    granted(await server.post("/v1/documents/bulk", {"action": "delete", "ids": [document["id"]]}))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"title": ""}, "invalid_request"),
        ({"title": 5}, "invalid_request"),
        ({"metadata": {"a": None}}, "invalid_request"),
        ({"metadata": {"a": [1]}}, "invalid_request"),
        ({"metadata": {"a": "\u0000"}}, "invalid_metadata"),
        ({"metadata": {"a": 10**400}}, "invalid_metadata"),
        ({"metadata": {f"k{n}": 1 for n in range(33)}}, "invalid_metadata"),
    ],
)
async def test_a_change_that_cannot_be_is_refused(company: Company, body: dict[str, Any], code: str) -> None:
    document_id = granted(await company.server.get("/v1/documents"))["documents"][0]["id"]

    refused(await company.server.request("PATCH", f"/v1/documents/{document_id}", json=body), 400, code)


async def test_an_assistant_answers_from_what_its_filters_mean(company: Company) -> None:
    question = "What number has the parking rule of this year?"

    stored = await company.uses("offline", retrieval={"threshold": 0, "filters": {"metadata": {"language": "de"}}})
    german = await company.server.ask(question)
    await company.uses("offline", retrieval={"threshold": 0, "filters": {"metadata": {"language": "fr"}}})
    french = await company.server.ask(question)
    await company.uses("offline", retrieval={})

    assert stored["retrieval"]["filters"]["metadata"] == {"language": "de"}
    assert {citation["title"] for citation in german["citations"]} == {"Regeln 2025.txt"}
    assert french["citations"] == []


async def test_documents_named_in_an_assistants_filters_are_kept_as_its_documents(company: Company) -> None:
    [document_id] = [d["id"] for d in granted(await company.server.get("/v1/documents", text="regeln"))["documents"]]
    filters = {"document_ids": [document_id], "created_since": "2020-01-01T00:00:00Z"}

    stored = await company.uses("offline", retrieval={"filters": filters})
    again = await company.uses("offline", retrieval=stored["retrieval"])
    await company.uses("offline", retrieval={})

    assert stored["retrieval"]["document_ids"] == [document_id]
    assert again["retrieval"] == stored["retrieval"]


async def test_a_file_is_downloaded_under_its_name_and_without_credentials(company: Company) -> None:
    name, content = 'Öffnungs "Zeiten" ☕.txt', "Geöffnet wird um neun.".encode()
    document = await company.ingested(name, content)
    path = f"/v1/documents/{document['id']}/download"

    given = granted(await company.server.get(path))
    async with httpx.AsyncClient(timeout=30, trust_env=False) as browser:
        got = await browser.get(given["url"])

    assert (got.status_code, got.content, given["expires_in"]) == (200, content, 300)
    disposition = got.headers["content-disposition"]
    assert disposition.startswith("attachment")
    assert "%C3%96ffnungs%20_Zeiten_%20%E2%98%95.txt" in disposition
    refused(await company.server.get(path, version=2), 404, "not_found")
    await company.server.delete(f"/v1/documents/{document['id']}")
    refused(await company.server.get(path), 404, "not_found")


async def test_chunks_come_in_pages_and_one_with_its_neighbours(company: Company) -> None:
    text = "\n\n".join(f"Section {n}. " + "The harbour master counts his boats every morning. " * 60 for n in range(4))
    document = await company.ingested("Harbour.txt", text.encode())
    path = f"/v1/documents/{document['id']}/chunks"

    first = granted(await company.server.get(path, limit=2))
    rest = granted(await company.server.get(path, after=first["next_after"]))
    around = granted(await company.server.get(f"{path}/1", neighbours=1))

    positions = [chunk["position"] for chunk in first["chunks"] + rest["chunks"]]
    assert positions == list(range(len(positions)))
    assert (first["next_after"], rest["next_after"]) == (1, None)
    assert around == {"before": first["chunks"][:1], "chunk": first["chunks"][1], "behind": rest["chunks"][:1]}
    refused(await company.server.get(f"{path}/{len(positions)}"), 404, "not_found")
    refused(await company.server.get(f"{path}/{2**40}"), 400, "invalid_request")
    await company.server.delete(f"/v1/documents/{document['id']}")


async def test_many_are_processed_again_and_deleted_each_with_its_result(company: Company) -> None:
    ids = [(await company.ingested(f"batch {n}.txt", f"Batch {n} holds candles.".encode()))["id"] for n in range(3)]
    lost, nobodys = granted(await company.promise("never.txt", 9))["document"]["id"], company.assistant_id

    again = granted(await company.server.post("/v1/documents/bulk", {"action": "reprocess", "ids": [*ids, lost]}))
    renewed = [await company.until_processed(document_id, version=2) for document_id in ids]
    gone = granted(await company.server.post("/v1/documents/bulk", {"action": "delete", "ids": [*ids, lost, nobodys]}))

    assert [result["error"] and result["error"]["code"] for result in again["results"]] == [None] * 3 + ["not_uploaded"]
    assert (again["done"], again["failed"]) == (3, 1)
    assert {document["status"] for document in renewed} == {"ready"}
    assert [result["done"] for result in gone["results"]] == [True] * 4 + [False]
    assert gone["results"][-1]["error"]["code"] == "not_found"
    assert not [each for each in await company.found("Which batch holds candles?") if "candles" in each["text"]]


@pytest.mark.parametrize(
    "body",
    [
        {"action": "delete", "ids": []}, {"action": "burn", "ids": ["{id}"]}, {"action": "delete", "ids": ["x"]},
        {"action": "delete", "ids": ["00000000-0000-0000-0000-000000000000"] * 501},
    ],
)  # fmt: skip
async def test_a_batch_that_cannot_be_is_refused(company: Company, body: dict[str, Any]) -> None:
    refused(await company.server.post("/v1/documents/bulk", body), 400, "invalid_request")


async def test_the_next_upload_is_cut_as_its_company_wants_and_the_others_is_not(
    company: Company, open_company: OpenCompany
) -> None:
    other = await open_company("Initech")
    path = f"/v1/tenants/{company.tenant_id}/chunking"
    text = ("The tower clock strikes at every hour of the day. " * 100).encode()
    before = granted(await company.server.get(path))

    stored = granted(await company.server.request("PUT", path, json={"tokens": 100, "overlap": 10}))
    mine, theirs = await company.ingested("Clock.txt", text), await other.ingested("Clock.txt", text)

    assert before == {"tokens": 500, "overlap": 50}
    assert stored == granted(await company.server.get(path)) == {"tokens": 100, "overlap": 10}
    assert mine["progress"]["total"] > 3 * theirs["progress"]["total"]
    granted(await company.server.request("PUT", path, json=before))


@pytest.mark.parametrize(
    ("tokens", "overlap", "field"), [(99, 0, "tokens"), (2001, 0, "tokens"), (100, 50, "overlap"), (100, -1, "overlap")]
)
async def test_cutting_that_makes_no_sense_is_refused(company: Company, tokens: int, overlap: int, field: str) -> None:
    body = {"tokens": tokens, "overlap": overlap}

    error = refused(
        await company.server.request("PUT", f"/v1/tenants/{company.tenant_id}/chunking", json=body),
        400,
        "invalid_request",
    )

    assert error["details"]["field"] == field
