"""A company's knowledge bases at Dify: how staff set them up, and what answers make of them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from local.services import free_port
from tests.dify_server import KEY, DifyServer, Fault, refusing
from tests.integration.api.clients import Caller, Company, ended_once, granted, refused, text_of
from tests.integration.api.conftest import Model, OpenCompany
from tests.integration.api.tables import found_in_tables
from tests.integration.api.test_tools import calling
from tests.stack import RunningStack

QUESTION = "How long does the warranty of the frame last?"
WARRANTY = "The warranty of the frame lasts eleven years at zanzibar-dify."
TEXTS = {"Warranty terms.pdf": WARRANTY, "Opening hours.docx": "The workshop opens at nine."}
OWN = "The warranty of the frame lasts two years, says our own document."


@pytest.fixture(scope="module")
async def company(open_company: OpenCompany) -> Company:
    """A company whose own documents say something else."""
    company = await open_company("Initech")
    await company.ingested("Own warranty.txt", OWN.encode())
    return company


@pytest.fixture
async def dify() -> AsyncIterator[DifyServer]:
    async with DifyServer() as server:
        yield server


@pytest.fixture
async def source(company: Company, dify: DifyServer) -> AsyncIterator[dict[str, Any]]:
    """A source that works; gone again afterwards."""
    added = granted(await company.staff.post("/v1/knowledge-sources", described(dify)))
    yield added
    await company.uses("offline", retrieval={})
    for left in granted(await company.staff.get("/v1/knowledge-sources"))["sources"]:
        granted_or_gone = await company.staff.delete(f"/v1/knowledge-sources/{left['id']}")
        assert granted_or_gone.status_code == 204


def described(dify: DifyServer, **more: Any) -> dict[str, Any]:
    return {
        "name": "handbook", "base_url": f"{dify.url}/v1", "dataset_id": dify.holds(TEXTS), "api_key": KEY,
        "search_method": "semantic_search",
    } | more  # fmt: skip


async def visitor_of(company: Company, source: dict[str, Any], *model: str, **settings: Any) -> Caller:
    """A visitor of an assistant that finds its passages in the source."""
    retrieval = {"knowledge_source": source["id"], "threshold": 0.1}
    await company.uses(*(model or ("offline",)), retrieval=retrieval, **settings)
    return await company.visitor()


async def test_a_source_is_added_shown_changed_and_removed_and_its_key_never_shown(
    company: Company, dify: DifyServer
) -> None:
    added = await company.staff.post("/v1/knowledge-sources", described(dify))
    path = f"/v1/knowledge-sources/{granted(added)['id']}"
    shown = await company.staff.get(path)
    changed = await company.staff.put(path, described(dify, name="archive", api_key=None, search_method=None))
    listed = await company.staff.get("/v1/knowledge-sources")
    works = granted(await company.staff.post(f"{path}/test", {"query": QUESTION}))["works"]
    gone = await company.staff.delete(path)

    assert (added.status_code, gone.status_code, works) == (201, 204, True)
    assert granted(shown) == granted(added)
    assert (granted(changed)["name"], granted(changed)["search_method"]) == ("archive", None)
    assert [each["name"] for each in granted(listed)["sources"]] == ["archive"]
    assert KEY not in added.text + shown.text + changed.text + listed.text
    for missing in (
        company.staff.get(path),
        company.staff.delete(path),
        company.staff.post(f"{path}/test", {"query": "x"}),
    ):
        refused(await missing, 404, "not_found")


async def test_an_answer_cites_a_passage_from_dify(company: Company, dify: DifyServer, source: dict[str, Any]) -> None:
    visitor = await visitor_of(company, source)

    whole = await visitor.ask(QUESTION)
    events = await visitor.stream(QUESTION)

    assert WARRANTY in whole["text"]
    [citation] = whole["citations"]
    assert (citation["title"], citation["quote"], citation["page"]) == ("Warranty terms.pdf", WARRANTY, None)
    assert WARRANTY in text_of(events)
    [cited] = [event.data for event in events if event.name == "citation"]
    assert cited["document_id"] == citation["document_id"]
    assert ended_once(events).name == "done"
    assert "our own document" not in whole["text"] + text_of(events)
    assert {asked.body["query"] for asked in dify.requests} == {QUESTION}
    thread = await visitor.conversation(whole["conversation_id"])
    assert thread["messages"][1]["citations"][0]["document_id"] == citation["document_id"]


async def test_a_past_prompt_is_made_again_although_the_passage_lay_elsewhere(
    company: Company, dify: DifyServer, source: dict[str, Any]
) -> None:
    visitor = await visitor_of(company, source)
    answer = await visitor.ask(QUESTION)
    dify.datasets.clear()

    rebuilt = await company.staff.get(f"/v1/messages/{answer['message_id']}/prompt")

    assert WARRANTY in str(granted(rebuilt))


async def test_a_model_that_searches_finds_there_and_cites_it(
    company: Company, dify: DifyServer, source: dict[str, Any], model: Model
) -> None:
    visitor = await visitor_of(
        company, source, "openai", model.base_url, access_token="sk-of-initech", tools=["search_knowledge"]
    )
    model.plays(calling("search_knowledge", {"query": "opening hours of the workshop"}))
    model.says("It opens at nine [1].")

    answer = await visitor.ask("Hmm?")

    assert [citation["title"] for citation in answer["citations"]] == ["Opening hours.docx"]
    assert [asked.body["query"] for asked in dify.requests] == ["Hmm?", "opening hours of the workshop"]


FAULTS = {
    "refusing the key": (refusing(401, "unauthorized", f"{KEY} {QUESTION}"), "knowledge_source_rejected"),
    "forbidding it": (refusing(403, "forbidden"), "knowledge_source_rejected"),
    "knowing no such dataset": (refusing(404, "not_found"), "knowledge_source_missing"),
    "busy": (refusing(429, "too_many_requests"), "knowledge_source_busy"),
    "broken": (refusing(500), "knowledge_source_failed"),
    "talking nonsense": (Fault(200, b"<html>"), "knowledge_source_failed"),
    "cut off": (Fault(200, b'{"records": []}', cut=True), "knowledge_source_failed"),
    "saying far too much": (Fault(200, b" " * 3_000_000), "knowledge_source_failed"),
    "silent": (Fault(200, b'{"records": []}', seconds=30), "knowledge_source_failed"),
}


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_faulty_dify_is_an_honest_error_and_never_an_answer_without_ground(
    company: Company, dify: DifyServer, source: dict[str, Any], model: Model, kind: str
) -> None:
    fault, code = FAULTS[kind]
    visitor = await visitor_of(company, source, "openai", model.base_url, access_token="sk-of-initech")
    dify.faults.extend([fault, fault])

    whole = await visitor.post("/v1/chat", {"message": QUESTION})
    events = await visitor.stream(QUESTION)

    refused(whole, 503, code)
    last = ended_once(events)
    assert (last.name, last.data["code"], last.data["retryable"]) == ("error", code, True)
    assert (text_of(events), model.prompts) == ("", [])
    assert KEY not in whole.text + str(events)
    model.says("Eleven years [1].")
    assert (await visitor.ask(QUESTION))["citations"][0]["title"] == "Warranty terms.pdf"


async def test_a_trial_shows_what_is_found_or_what_is_wrong(
    company: Company, dify: DifyServer, source: dict[str, Any]
) -> None:
    path = f"/v1/knowledge-sources/{source['id']}/test"

    works = granted(await company.staff.post(path, {"query": QUESTION}))
    dify.keys.clear()
    rejected = granted(await company.staff.post(path, {"query": QUESTION}))

    assert (works["works"], works["failure"]) == (True, None)
    assert (works["results"][0]["title"], works["results"][0]["text"]) == ("Warranty terms.pdf", WARRANTY)
    assert rejected == {
        "works": False,
        "failure": {
            "code": "knowledge_source_rejected",
            "message": "the server answered with status 401 (unauthorized)",
        },
        "results": [],
    }


async def test_a_source_is_changed_under_a_running_assistant_at_once(
    company: Company, dify: DifyServer, source: dict[str, Any]
) -> None:
    visitor = await visitor_of(company, source)
    await visitor.ask(QUESTION)
    other = dify.holds({"New terms.pdf": "The warranty of the frame lasts fifty years."})

    granted(await company.staff.put(f"/v1/knowledge-sources/{source['id']}", described(dify, dataset_id=other)))

    assert (await visitor.ask(QUESTION))["citations"][0]["title"] == "New terms.pdf"


async def test_a_source_in_use_stays_and_one_that_is_free_again_goes(company: Company, source: dict[str, Any]) -> None:
    path = f"/v1/knowledge-sources/{source['id']}"
    await visitor_of(company, source)

    error = refused(await company.staff.delete(path), 409, "source_in_use")
    own = await company.uses("offline", retrieval={"threshold": 0})
    answer = await (await company.visitor()).ask(QUESTION)

    assert error["details"]["assistant_id"] == company.assistant_id
    assert own["retrieval"]["knowledge_source"] is None
    assert "our own document" in answer["text"]
    assert (await company.staff.delete(path)).status_code == 204


async def test_an_assistant_names_only_what_there_is(company: Company, source: dict[str, Any]) -> None:
    path = f"/v1/assistants/{company.assistant_id}"
    stored = granted(await company.staff.get(path))

    unknown = stored | {"retrieval": {"knowledge_source": company.assistant_id}}
    refused(await company.staff.put(path, unknown), 404, "not_found")
    both = stored | {"retrieval": {"knowledge_source": source["id"], "document_ids": [company.assistant_id]}}
    error = refused(await company.staff.put(path, both), 400, "invalid_request")

    assert error["details"]["field"] == "retrieval.document_ids"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"provider": "elsewhere"}, "provider"),
        ({"base_url": "ftp://dify.example.com"}, "base_url"),
        ({"base_url": "https://user:pw@example.com"}, "base_url"),
        ({"dataset_id": "../../apps"}, "dataset_id"),
        ({"api_key": None}, "api_key"),
        ({"api_key": f"{KEY}\n"}, "api_key"),
        ({"search_method": "hybrid_search"}, "search_method"),
    ],
)
async def test_what_a_source_may_not_be_is_refused(
    company: Company, dify: DifyServer, change: dict[str, Any], field: str
) -> None:
    error = refused(await company.staff.post("/v1/knowledge-sources", described(dify) | change), 400, "invalid_request")

    assert error["details"]["field"] == field
    assert KEY not in str(error)


async def test_a_stored_key_does_not_move_to_another_host(
    company: Company, dify: DifyServer, source: dict[str, Any]
) -> None:
    moved = described(dify, base_url=f"http://127.0.0.1:{free_port()}", api_key=None)

    error = refused(await company.staff.put(f"/v1/knowledge-sources/{source['id']}", moved), 400, "invalid_request")

    assert error["details"]["field"] == "api_key"


async def test_an_address_inside_is_not_reached(company: Company, dify: DifyServer, source: dict[str, Any]) -> None:
    inside = described(dify, base_url="https://169.254.169.254", name="inside")
    added = granted(await company.staff.post("/v1/knowledge-sources", inside))

    trial = granted(await company.staff.post(f"/v1/knowledge-sources/{added['id']}/test", {"query": QUESTION}))

    assert trial["failure"]["message"] == "the endpoint's address is not public"


async def test_a_name_is_used_once(company: Company, dify: DifyServer, source: dict[str, Any]) -> None:
    refused(await company.staff.post("/v1/knowledge-sources", described(dify)), 409, "name_taken")


async def test_visitors_have_no_business_with_sources(company: Company, dify: DifyServer) -> None:
    visitor = await company.visitor()

    refused(await company.http.get("/v1/knowledge-sources"), 401, "unauthenticated")
    assert (await visitor.get("/v1/knowledge-sources")).status_code in (401, 403)
    assert (await visitor.post("/v1/knowledge-sources", described(dify))).status_code in (401, 403)


async def test_neither_key_nor_passage_is_in_a_log_and_the_key_in_no_table(
    company: Company, dify: DifyServer, source: dict[str, Any], stack: RunningStack
) -> None:
    visitor = await visitor_of(company, source)
    await visitor.ask(QUESTION)
    dify.faults.append(refusing(500, "unknown", f"{KEY} {WARRANTY}"))
    await visitor.post("/v1/chat", {"message": QUESTION})

    logs = "".join(path.read_text(errors="replace") for path in Path(stack.services.state).rglob("*.log"))

    assert "knowledge_source_failed" in logs
    assert [secret for secret in (KEY, "zanzibar-dify", QUESTION) if secret in logs] == []
    assert await found_in_tables(stack, [KEY]) == []
