"""Assistants and their versions through the product: drafts, publications, the way back, and whether models answer."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from chatconnect.adapters import aws
from chatconnect.adapters.kms import KmsEnvelope
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.sealed import PostgresSealedValues
from chatconnect.domain.identifiers import TenantId
from chatconnect.services.resealing import ResealingService
from tests.integration.api.clients import Caller, Company, ended_once, granted, refused, text_of
from tests.integration.api.conftest import Model, OpenCompany
from tests.integration.providers import conftest as wire
from tests.postgres import conninfo
from tests.stack import RunningStack

NOWHERE = "Which colour has the moon's lighthouse?"
BEN = {"name": "Ben", "provider": "offline", "model": "quotes", "system_prompt": "Be kind.", "refusal": "Ben: no idea."}


@pytest.fixture(scope="module")
async def company(open_company: OpenCompany) -> Company:
    return await open_company("Versions Ltd")


@pytest.fixture
def path(company: Company) -> str:
    return f"/v1/assistants/{company.assistant_id}"


async def stored(company: Company, path: str) -> dict[str, Any]:
    found: dict[str, Any] = granted(await company.staff.get(path))
    return found


async def added(company: Company, **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = granted(await company.staff.post("/v1/assistants", BEN | changes))
    return made


async def test_a_draft_is_compared_published_and_rolled_back(company: Company, path: str) -> None:
    before = await stored(company, path)

    draft = granted(await company.staff.post(f"{path}/versions", before | {"refusal": "No.", "note": "shorter"}))
    untouched = await stored(company, path)
    changes = granted(await company.staff.get(f"{path}/versions/{draft['version']}/changes"))
    published = granted(await company.staff.post(f"{path}/publish", {"version": draft["version"]}))
    answer = await company.server.ask(NOWHERE)
    back = granted(await company.staff.post(f"{path}/rollback", {"version": before["version"]}))

    assert (untouched["refusal"], untouched["version"]) == (before["refusal"], before["version"])
    assert (draft["version"], draft["published_version"]) == (before["version"] + 1, before["version"])
    assert changes == {
        "number": draft["version"],
        "since": before["version"],
        "changes": [{"field": "refusal", "before": before["refusal"], "after": "No."}],
    }
    assert (published["version"], published["refusal"], answer["text"]) == (draft["version"], "No.", "No.")
    assert (back["version"], back["refusal"]) == (draft["version"] + 1, before["refusal"])
    assert (await company.server.ask(NOWHERE))["text"] == before["refusal"]


async def test_versions_are_listed_with_author_and_note_and_shown_as_they_were(company: Company, path: str) -> None:
    before = await stored(company, path)
    await company.staff.put(path, before | {"temperature": 1.5, "note": "bolder"})
    await company.server.post(f"{path}/rollback", {"version": before["version"]})

    listed = granted(await company.staff.get(f"{path}/versions", limit=2))
    older = granted(await company.staff.get(f"{path}/versions", limit=100, before=listed["next_before"]))
    [back, bolder] = listed["versions"]
    shown = granted(await company.staff.get(f"{path}/versions/{bolder['number']}"))

    assert (bolder["author"]["email"], bolder["note"]) == (company.email, "bolder")
    assert (back["author"], back["note"]) == (None, f"Rolled back to version {before['version']}")
    assert listed["published_version"] == listed["latest_version"] == back["number"]
    assert [each["number"] for each in older["versions"]] == list(range(bolder["number"] - 1, 0, -1))
    assert older["next_before"] is None
    assert (shown["temperature"], shown["note"], shown["has_access_token"]) == (1.5, "bolder", False)
    refused(await company.staff.get(f"{path}/versions/999"), 404, "not_found")


async def test_who_began_with_an_older_version_is_told_so_and_overwrites_nothing(company: Company, path: str) -> None:
    seen = await company.staff.get(path)
    etag, before = seen.headers["ETag"], granted(seen)

    async def put(name: str) -> Any:
        headers = {"If-Match": etag}
        return await company.staff.request("PUT", path, headers=headers, json=before | {"name": name})

    first, second = await asyncio.gather(put("First"), put("Second"))

    won, lost = (first, second) if first.is_success else (second, first)
    assert won.headers["ETag"] == f'"{before["latest_version"] + 1}"'
    details = refused(lost, 409, "version_conflict")["details"]
    assert details == {"latest_version": before["latest_version"] + 1}
    assert (await stored(company, path))["name"] == granted(won)["name"]
    for route, body in (("versions", before), ("publish", {"version": 1}), ("rollback", {"version": 1})):
        late = await company.staff.request("POST", f"{path}/{route}", headers={"If-Match": etag}, json=body)
        refused(late, 409, "version_conflict")
    odd = await company.staff.request("PUT", path, headers={"If-Match": "x"}, json=before)
    refused(odd, 400, "invalid_request")


async def test_saves_at_once_without_a_precondition_are_all_kept_and_lose_no_token(company: Company, path: str) -> None:
    await company.uses("openai", "http://127.0.0.1:9/v1", access_token="sk-first-token")
    before = await stored(company, path)
    wishes = [{"temperature": 0.1 * number} for number in range(4)] + [{"access_token": "sk-second-token"}]

    saved = await asyncio.gather(*(company.staff.put(path, before | wish) for wish in wishes))

    numbers = [granted(each)["version"] for each in saved]
    assert sorted(numbers) == list(range(before["version"] + 1, before["version"] + 6))
    with_new = granted(saved[-1])["version"]
    for number in range(with_new + 1, before["version"] + 6):  # what came after the new token has it, too
        since = granted(await company.staff.get(f"{path}/versions/{number}/changes", since=with_new))
        assert "access_token" not in [change["field"] for change in since["changes"]]
    await company.uses("offline")


async def test_a_roll_back_brings_no_token_back_and_keeps_the_one_that_is_in_use(
    company: Company, path: str, model: Model
) -> None:
    first = await company.uses("openai", model.base_url, access_token="sk-old-and-leaked")
    changed = await company.uses("openai", model.base_url, access_token="sk-new-and-safe", refusal="Changed.")
    changes = granted(await company.staff.get(f"{path}/versions/{changed['version']}/changes"))

    kept = granted(await company.staff.post(f"{path}/rollback", {"version": first["version"]}))
    model.says("Hello.")
    await company.server.ask("Anybody there?")
    removed = granted(await company.staff.put(path, kept | {"remove_access_token": True}))
    without = granted(await company.staff.post(f"{path}/rollback", {"version": first["version"]}))

    assert {"field": "access_token", "before": "***", "after": "***"} in changes["changes"]
    assert (kept["refusal"], kept["has_access_token"]) == (first["refusal"], True)
    assert model.keys == {"Bearer sk-new-and-safe"}
    assert (removed["has_access_token"], without["has_access_token"]) == (False, False)
    await company.uses("offline")


async def test_a_running_answer_keeps_its_version_and_the_next_question_meets_the_new_one(
    company: Company, path: str, model: Model
) -> None:
    await company.uses("openai", model.base_url, access_token="sk-of-ours", system_prompt="Speak like a pirate.")
    before = await stored(company, path)
    answers = []
    for step, body in (("PUT", {"system_prompt": "Speak like a judge."}), ("POST", {"version": before["version"]})):
        model.says("Slowly ", 0.2, "said.")
        async with company.server.streaming("Who are you?") as events:
            heard = [await anext(events), await anext(events)]
            if step == "PUT":
                granted(await company.staff.put(path, before | body))
            else:
                granted(await company.staff.post(f"{path}/rollback", body))
            heard += [event async for event in events]
        answers.append(heard)
    model.says("Afterwards.")
    await company.server.ask("Who are you?")

    assert [text_of(heard) for heard in answers] == ["Slowly said."] * 2
    assert [ended_once(heard).name for heard in answers] == ["done", "done"]
    words = ["pirate" if "pirate" in str(prompt) else "judge" for prompt in model.prompts]
    assert words == ["pirate", "judge", "pirate"]
    await company.uses("offline")


async def test_a_server_tries_the_draft_out_and_visitors_do_not_meet_it(company: Company, path: str) -> None:
    before = await stored(company, path)
    draft = granted(await company.staff.post(f"{path}/versions", before | {"refusal": "From the draft."}))

    tried = await company.server.ask(NOWHERE, assistant_version="draft")
    usual = await company.server.ask(NOWHERE)
    on_the_website = await (await company.visitor()).post(
        "/v1/chat", {"message": NOWHERE, "assistant_version": "draft"}
    )

    assert (tried["text"], usual["text"]) == ("From the draft.", before["refusal"])
    refused(on_the_website, 403, "secret_key_required")
    prompt = granted(await company.staff.get(f"/v1/messages/{tried['message_id']}/prompt"))
    assert prompt
    granted(await company.staff.post(f"{path}/rollback", {"version": before["version"]}))
    refused(await company.staff.post(f"{path}/publish", {"version": draft["version"]}), 409, "older_version")


async def test_there_is_one_default_however_many_are_made_it_at_once(company: Company, path: str) -> None:
    several = [await added(company, name=f"Number {number}") for number in range(3)]

    answers = await asyncio.gather(*(company.staff.post(f"/v1/assistants/{each['id']}/default") for each in several))

    assert all(granted(answer)["id"] == each["id"] for answer, each in zip(answers, several, strict=True))
    listed = granted(await company.staff.get("/v1/assistants"))["assistants"]
    defaults = [each for each in listed if each["is_default"]]
    assert len(defaults) == 1
    assert listed[0] == defaults[0]
    assert defaults[0]["id"] in {each["id"] for each in several}
    assert (await company.server.ask(NOWHERE))["text"] == "Ben: no idea."
    granted(await company.staff.post(f"{path}/default"))
    for each in several:
        response = await company.staff.delete(f"/v1/assistants/{each['id']}")
        assert response.status_code in (204, 409)


async def test_an_archived_assistant_answers_nobody_until_it_is_taken_back(company: Company, path: str) -> None:
    ben = await added(company)
    own = f"/v1/assistants/{ben['id']}"
    key = granted(await company.staff.post("/v1/keys", {"kind": "secret", "name": "Ben's", "assistant_id": ben["id"]}))[
        "key"
    ]
    server = Caller(company.http, key)
    assert (await server.ask(NOWHERE))["text"] == "Ben: no idea."

    archived = granted(await company.staff.post(f"{own}/archive"))
    refused(await server.post("/v1/chat", {"message": NOWHERE}), 404, "not_found")
    others = granted(await company.staff.get("/v1/assistants"))["assistants"]
    kept = granted(await company.staff.get("/v1/assistants", archived=True))["assistants"]
    refused(await company.staff.post(f"{own}/default"), 404, "not_found")
    granted(await company.staff.post(f"{own}/unarchive"))

    assert archived["archived_at"] is not None
    assert ben["id"] not in {each["id"] for each in others}
    assert [each["id"] for each in kept] == [ben["id"]]
    assert (await server.ask(NOWHERE))["text"] == "Ben: no idea."
    refused(await company.staff.delete(own), 409, "assistant_in_use")
    refused(await company.staff.post(f"{path}/archive"), 409, "default_assistant")


async def test_a_widget_is_handed_to_another_assistant_and_only_to_one_that_answers(
    company: Company, open_company: OpenCompany
) -> None:
    ben, other = await added(company), await open_company("Elsewhere")
    widget = f"/v1/widgets/{company.widget_id}"
    [before] = granted(await company.staff.get("/v1/widgets"))["widgets"]

    moved = granted(await company.staff.put(widget, before | {"assistant_id": ben["id"]}))
    answer = await (await company.visitor()).ask(NOWHERE)
    refused(await company.staff.post(f"/v1/assistants/{ben['id']}/archive"), 409, "assistant_in_use")
    foreign = await company.staff.put(widget, before | {"assistant_id": other.assistant_id})
    back = granted(await company.staff.put(widget, before))

    assert (moved["assistant_id"], answer["text"]) == (ben["id"], "Ben: no idea.")
    refused(foreign, 404, "not_found")
    assert back["assistant_id"] == company.assistant_id


async def test_what_nobody_has_talked_to_can_be_deleted(company: Company) -> None:
    ben = await added(company, name="Nobody's")
    own = f"/v1/assistants/{ben['id']}"

    assert (await company.staff.delete(own)).status_code == 204

    refused(await company.staff.get(own), 404, "not_found")
    refused(await company.staff.get(f"{own}/versions"), 404, "not_found")


async def test_a_rename_is_a_version_and_waits_for_a_draft(company: Company) -> None:
    ben = await added(company)
    own = f"/v1/assistants/{ben['id']}"

    renamed = granted(await company.staff.request("PATCH", own, json={"name": "Benjamin", "note": "in full"}))
    refused(await company.staff.request("PATCH", own, json={"name": " "}), 400, "invalid_request")
    granted(await company.staff.post(f"{own}/versions", renamed | {"temperature": 1.0}))

    assert (renamed["name"], renamed["version"], renamed["system_prompt"]) == ("Benjamin", 2, "Be kind.")
    refused(await company.staff.request("PATCH", own, json={"name": "B."}), 409, "draft_exists")
    assert (await company.staff.delete(own)).status_code == 204


@pytest.mark.parametrize(
    "url", ["https://169.254.169.254/v1", "http://10.0.0.7/v1", "https://[fd00::1]/v1", "https://no-such-host.invalid"]
)
async def test_an_address_that_is_not_public_is_not_saved(company: Company, path: str, url: str) -> None:
    before = await stored(company, path)

    for answer in (
        await company.staff.put(path, before | {"provider": "openai", "base_url": url}),
        await company.staff.post(f"{path}/versions", before | {"provider": "openai", "base_url": url}),
        await company.staff.post("/v1/assistants", BEN | {"provider": "openai", "base_url": url}),
    ):
        error = refused(answer, 400, "address_not_public")
        assert error["details"] == {"field": "base_url"}
    assert await stored(company, path) == before


async def test_the_connection_is_tested_with_the_versions_own_model_address_and_token(
    company: Company, path: str, model: Model
) -> None:
    before = await company.uses("offline")
    wanted = {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "base_url": model.base_url,
        "access_token": "sk-to-be-tried",
    }
    draft = granted(await company.staff.post(f"{path}/versions", before | wanted))
    model.says("OK")
    model.plays(wire.refused(401))

    quotes = granted(await company.staff.post(f"{path}/test", {}))
    works = granted(await company.staff.post(f"{path}/test", {"version": draft["version"]}))
    fails = await company.staff.post(f"{path}/test", {"version": draft["version"]})

    assert (quotes["works"], quotes["provider"]) == (True, "offline")
    assert (works["works"], works["model"], works["failure"]) == (True, "gpt-4o-mini", None)
    assert 0 <= works["first_answer_ms"] <= works["total_ms"]
    assert model.keys == {"Bearer sk-to-be-tried"}
    failure = {"code": "provider_rejected", "message": "The provider refuses the access token."}
    assert (granted(fails)["works"], granted(fails)["failure"]) == (False, failure)
    assert "sk-to-be-tried" not in fails.text
    refused(await company.staff.post(f"{path}/test", {"version": 999}), 404, "not_found")


@pytest.fixture
async def kms(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """The stack's key store, for clients of this process, too."""
    for name, value in stack.services.aws.client_environment.items():
        monkeypatch.setenv(name, value)
    aws.client.cache_clear()
    yield aws.client("kms")
    aws.client.cache_clear()


async def test_a_new_master_key_takes_over_while_tokens_stay_readable(
    company: Company, path: str, model: Model, stack: RunningStack, kms: Any
) -> None:
    await company.uses("openai", model.base_url, access_token="sk-that-outlives-keys")
    key_id = kms.create_key(Description="the next one")["KeyMetadata"]["KeyId"]
    database = PostgresDatabase(conninfo(stack.settings["DATABASE_URL"]), pool_size=2)
    tenant_id = TenantId(UUID(company.tenant_id))
    values = PostgresSealedValues(database, tenant_id)
    before = await values.count_older(key_id)

    class Directory:
        async def tenant_ids(self) -> AsyncIterator[TenantId]:
            yield tenant_id

    figures = await ResealingService(
        directory=Directory(),
        sealed_of=partial(PostgresSealedValues, database),
        encryption=KmsEnvelope(key_id),
        on_fault=lambda what, fault: None,
    ).reseal_all()

    assert figures == {"resealed": before, "left": 0, "unreadable": 0}
    assert before > 0
    assert await values.count_older(stack.settings["KMS_KEY_ID"]) == before
    granted(
        await company.staff.put(f"/v1/tenants/{company.tenant_id}/control-messages", {"messages": []})
    )  # a new epoch
    model.says("Still here.")
    assert (await company.server.ask("Anybody there?"))["text"] == "Still here."
    assert model.keys == {"Bearer sk-that-outlives-keys"}
    await database.aclose()
    await company.uses("offline")
