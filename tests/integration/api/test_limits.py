"""Plans and limits, as companies and their visitors meet them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.integration.api.clients import Caller, Company, Refused, granted, refused
from tests.integration.api.conftest import Model, OpenCompany
from tests.integration.api.people import made_operator
from tests.integration.api.tables import tables
from tests.integration.api.test_tools import calling
from tests.stack import RunningStack

PREMIUM = {"provider": "anthropic", "model": "claude-sonnet-4-6", "base_url": None}
SMALL = (
    "INSERT INTO plans (name, requests_per_minute, provider, model, allowed_models, documents, storage_bytes, members,"
    " messages_per_day) VALUES ('small', 3, 'openai', 'gpt-5.4-mini', '{gpt-5.4-mini}', 10, 100000, 1, 1000)"
    " ON CONFLICT DO NOTHING"
)

PutOn = Callable[[Company, str], Awaitable[None]]


@pytest.fixture(scope="module")
async def put_on(open_company: OpenCompany, stack: RunningStack) -> PutOn:
    """Puts companies on plans, as the platform's operators do; "small" is one of our own."""
    platform = await open_company("Platform")
    await made_operator(platform.staff, stack)
    async with tables(stack) as database:
        await database.execute(SMALL)

    async def put(company: Company, plan: str) -> None:
        granted(await platform.staff.put(f"/v1/operator/tenants/{company.tenant_id}/plan", {"plan": plan}))

    return put


@pytest.fixture
async def acme(open_company: OpenCompany) -> Company:
    return await open_company("Acme")


def left(response: httpx.Response) -> dict[str, int]:
    """What of each limit is left, by RateLimit; the fields belong together."""
    found = dict[str, int]()
    for each in response.headers["ratelimit"].split(", "):
        name, remaining, resets = each.split(";")
        found[name.strip('"')] = int(remaining.removeprefix("r="))
        assert int(resets.removeprefix("t=")) >= 0
    policies = response.headers["ratelimit-policy"].split(", ")
    assert [each.split(";")[0].strip('"') for each in policies] == list(found)
    assert int(response.headers["ratelimit-remaining"]) == min(found.values())
    assert int(response.headers["ratelimit-limit"]) >= int(response.headers["ratelimit-remaining"])
    assert int(response.headers["ratelimit-reset"]) >= 0
    return found


async def test_a_company_sees_the_plans_its_own_and_what_of_it_is_used(acme: Company) -> None:
    granted(await acme.promise("Guide.txt", 120))

    plans = {each["name"]: each for each in granted(await acme.staff.get("/v1/plans"))["plans"]}
    shown = granted(await acme.server.get(f"/v1/tenants/{acme.tenant_id}"))

    assert {"free", "paid", "enterprise"} <= set(plans)
    assert (plans["free"]["model"], plans["paid"]["model"]) == ("gpt-5.4-mini", "claude-sonnet-4-6")
    assert "claude-sonnet-4-6" not in plans["free"]["models"]
    assert (shown["id"], shown["name"], shown["plan"]["name"]) == (acme.tenant_id, "Acme", "free")
    used = shown["used"]
    assert (used["documents"], used["storage_bytes"], used["members"]) == (1, 120, 1)
    assert {(cap["subject"], cap["measure"], cap["period"]) for cap in used["caps"]} >= {("tenant", "money", "month")}


async def test_no_other_company_and_no_visitor_is_shown_it(acme: Company, company: Company) -> None:
    visitor = await acme.visitor()

    refused(await company.staff.get(f"/v1/tenants/{acme.tenant_id}"), 404, "not_found")
    for path in ("/v1/plans", f"/v1/tenants/{acme.tenant_id}"):
        assert (await visitor.get(path)).status_code in (401, 403)
        assert (await Caller(acme.http, "nobody").get(path)).status_code == 401


async def test_a_free_company_reaches_no_premium_model_until_it_pays_for_it(acme: Company, put_on: PutOn) -> None:
    path = f"/v1/assistants/{acme.assistant_id}"
    stored = granted(await acme.staff.get(path))
    with_token = stored | PREMIUM | {"access_token": "sk-of-acme-itself"}
    fallback = {"fallback": {"provider": "anthropic", "model": "claude-sonnet-4-6"}}
    for wanted in (with_token, stored | fallback, stored | PREMIUM | {"base_url": "https://api.anthropic.com"}):
        for answer in (
            await acme.staff.put(path, wanted),
            await acme.staff.post("/v1/assistants", wanted),
            await acme.staff.post(f"{path}/versions", wanted),
        ):
            refused(answer, 403, "model_not_in_plan")

    await put_on(acme, "paid")
    published = granted(await acme.staff.put(path, with_token))
    draft = granted(await acme.staff.post(f"{path}/versions", with_token | fallback))
    await put_on(acme, "free")

    refused(await acme.staff.post(f"{path}/publish", {"version": draft["latest_version"]}), 403, "model_not_in_plan")
    old = {"version": published["latest_version"]}
    refused(await acme.staff.post(f"{path}/rollback", old), 403, "model_not_in_plan")
    trial = granted(await acme.staff.post(f"{path}/test", {}))
    assert trial["failure"]["code"] == "model_not_in_plan"
    for more in ({}, {"assistant_version": "draft"}):
        question = await acme.server.post("/v1/chat", {"message": "Who are you?", **more})
        assert question.status_code in (200, 503)  # the deployment may have no key for the plan's own model
    for each in granted(await acme.server.get("/v1/conversations"))["conversations"]:
        thread = await acme.server.conversation(each["id"])
        assert thread["messages"][-1]["model"] == "gpt-5.4-mini"


async def test_the_limits_are_told_with_every_answer_and_refusal(acme: Company, put_on: PutOn) -> None:
    await put_on(acme, "small")
    visitor, question = await acme.visitor(), {"message": "Hello?"}

    first = await visitor.post("/v1/chat", question)
    async with acme.http.stream("POST", "/v1/chat/stream", headers=visitor.headers, json=question) as second:
        await second.aread()
    third = await visitor.post("/v1/chat", question)
    fourth = await visitor.post("/v1/chat", question)
    with pytest.raises(Refused) as caught:
        await visitor.stream("Hello?")

    assert [left(each) for each in (first, second, third)] == [{"requests": 2}, {"requests": 1}, {"requests": 0}]
    assert first.headers["ratelimit-policy"] == '"requests";q=3;w=60'
    assert first.headers["ratelimit-limit"] == "3"
    assert "ratelimit" in first.headers["access-control-expose-headers"].lower()
    for response in (fourth, caught.value.response):
        refused(response, 429, "rate_limited")
        assert left(response) == {"requests": 0}
    server = await acme.server.post("/v1/chat", question)
    assert left(server) == {"requests": 2, "messages_per_day": 1_000 - 4}


async def test_an_upgrade_lifts_every_limit_at_once(acme: Company, put_on: PutOn) -> None:
    await put_on(acme, "small")
    visitor, question = await acme.visitor(), {"message": "Hello?"}
    for _ in range(3):
        granted(await visitor.post("/v1/chat", question))
    refused(await visitor.post("/v1/chat", question), 429, "rate_limited")
    refused(await acme.promise("Guide.txt", 100_001), 409, "storage_full")
    invitation = {"email": "ben@example.com", "role": "viewer"}
    refused(await acme.staff.post("/v1/invitations", invitation), 409, "too_many_members")

    await put_on(acme, "paid")

    granted(await visitor.post("/v1/chat", question))
    granted(await acme.promise("Guide.txt", 100_001))
    granted(await acme.staff.post("/v1/invitations", invitation))


@pytest.mark.parametrize("subject", ["visitor", "conversation", "key"])
async def test_a_cap_of_each_visitor_conversation_or_key_holds_for_it_alone(acme: Company, subject: str) -> None:
    own = {"subject": subject, "measure": "messages", "period": "day", "hard": 1}
    caps = granted(await acme.staff.put("/v1/usage/caps", {"caps": [own]}))["caps"]
    asker = acme.server if subject == "key" else await acme.visitor()
    first = await asker.post("/v1/chat", {"message": "Hello?"})
    again = {"message": "And?", "conversation_id": granted(first)["conversation_id"]}

    error = refused(await asker.post("/v1/chat", again), 429, f"{subject}_messages_per_day_reached")

    assert [cap for cap in caps if cap["subject"] == subject] == [
        {**own, "plan": None, "own": 1, "soft": 1, "used": None}
    ]
    assert left(first)[f"{subject}_messages_per_day"] == 0
    assert error["details"] == {"limit": f"{subject}_messages_per_day", "quota": 1}
    other = await acme.visitor() if subject == "visitor" else asker
    unbound = acme.server if subject == "conversation" else await acme.visitor()
    granted(await (unbound if subject != "visitor" else other).post("/v1/chat", {"message": "Hello?"}))


async def test_fifty_uploads_at_once_never_overshoot_a_plan(acme: Company, put_on: PutOn) -> None:
    await put_on(acme, "small")

    answers = await asyncio.gather(*(acme.promise(f"Guide {number}.txt", 100) for number in range(50)))

    assert Counter(answer.status_code for answer in answers) == {201: 10, 409: 40}
    assert {answer.json()["error"]["code"] for answer in answers if answer.is_error} == {"too_many_documents"}
    assert granted(await acme.staff.get(f"/v1/tenants/{acme.tenant_id}"))["used"]["documents"] == 10


async def test_what_is_sent_is_no_larger_than_what_was_promised(acme: Company) -> None:
    promised: dict[str, Any] = granted(await acme.promise("Guide.txt", 10))["upload"]

    async with httpx.AsyncClient(timeout=60, trust_env=False) as s3:
        sent = await s3.post(promised["url"], data=promised["fields"], files={"file": ("Guide.txt", b"x" * 11)})

    assert sent.is_client_error


async def test_staff_see_what_the_tools_of_an_answer_did_and_visitors_do_not(acme: Company, model: Model) -> None:
    await acme.uses("openai", model.base_url, access_token="sk-of-acme", tools=["search_knowledge"])
    visitor = await acme.visitor()
    model.plays(calling("search_knowledge", {"query": "parcels"}))
    model.says("I do not know.")

    answer = await visitor.ask("Where is my parcel?")

    path = f"/v1/conversations/{answer['conversation_id']}"
    inside = granted(await acme.staff.get(path))["messages"][-1]["tools"]
    assert [(use["round"], use["name"], use["arguments"], use["failed"]) for use in inside] == [
        (1, "search_knowledge", '{"query": "parcels"}', False)
    ]
    assert inside[0]["result"]
    assert (await visitor.conversation(answer["conversation_id"]))["messages"][-1]["tools"] is None
    prompt = granted(await acme.staff.get(f"/v1/messages/{answer['message_id']}/prompt"))
    assert [use["name"] for each in prompt["rounds"] for use in each["uses"]] == ["search_knowledge"]
