"""What a company sees of its usage, the caps it sets itself, and how long the steps of its answers took."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.api.clients import Caller, Company, ended_once, granted, refused
from tests.integration.api.conftest import Model, OpenCompany

READ = 1_000  # tokens of a prompt, as the scripted model says
PLENTY = 10_000_000


@pytest.fixture
async def acme(open_company: OpenCompany, model: Model) -> Company:
    """A company of its own for each test: caps hold for all that it does."""
    company = await open_company("Acme")
    await company.uses("openai", model.base_url, access_token="sk-of-acme", max_tokens=100)
    return company


async def capped(company: Company, *caps: dict[str, Any]) -> list[dict[str, Any]]:
    states: list[dict[str, Any]] = granted(await company.staff.put("/v1/usage/caps", {"caps": list(caps)}))["caps"]
    return states


def cap(measure: str, period: str, hard: int, **more: int) -> dict[str, Any]:
    return {"measure": measure, "period": period, "hard": hard, **more}


async def test_usage_is_shown_for_the_company_a_visitor_and_a_conversation(acme: Company, model: Model) -> None:
    visitor, started = await acme.visitor(), datetime.now(UTC)
    for _ in range(3):
        model.says("Hello.")
    first = await visitor.ask("Hello?")
    await visitor.ask("Again?", conversation_id=first["conversation_id"])
    await acme.server.ask("From a server?")

    whole = granted(await acme.staff.get("/v1/usage"))
    one = granted(await acme.staff.get("/v1/usage", conversation_id=first["conversation_id"]))

    costs = first["usage"]["cost_microusd"]
    [day], [month] = whole["days"], whole["months"]
    assert day["starts_on"] in (started.date().isoformat(), datetime.now(UTC).date().isoformat())
    assert month["starts_on"].endswith("-01")
    assert (day["answers"], day["input_tokens"], day["cost_microusd"]) == (3, 3 * READ, 3 * costs)
    assert {**month, "starts_on": ""} == {**day, "starts_on": ""}
    assert [each["answers"] for each in one["days"]] == [2]
    past = (started - timedelta(days=40)).date().isoformat()
    assert granted(await acme.staff.get("/v1/usage", since=past, until=past))["days"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": "2026-02-01", "until": "2026-01-01"},
        {"since": "2024-01-01", "until": "2026-01-01"},
        {"since": "yesterday"},
        {
            "visitor_id": "01a1fe61-a98b-7ab8-9810-02c94a35f1ae",
            "conversation_id": "01a1fe61-a98b-7ab8-9810-02c94a35f1ae",
        },
    ],
)
async def test_a_stretch_of_time_that_is_none_is_refused(acme: Company, wrong: dict[str, str]) -> None:
    refused(await acme.staff.get("/v1/usage", **wrong), 400, "invalid_request")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_the_ends_of_the_calendar_are_days_like_any_other(acme: Company, day: str) -> None:
    assert granted(await acme.staff.get("/v1/usage", until=day)) == {"days": [], "months": []}
    assert granted(await acme.staff.get("/v1/usage", since=day, until=day)) == {"days": [], "months": []}


async def test_a_visitor_sees_neither_usage_nor_caps(acme: Company) -> None:
    visitor = await acme.visitor()

    for answer in (
        await visitor.get("/v1/usage"),
        await visitor.get("/v1/usage/caps"),
        await visitor.put("/v1/usage/caps", {"caps": []}),
        await Caller(acme.http, "nobody").get("/v1/usage"),
    ):
        assert answer.status_code in (401, 403)


async def test_a_companys_own_cap_refuses_the_next_answer_and_lets_it_pass_when_it_is_lifted(
    acme: Company, model: Model
) -> None:
    model.says("Hello.")
    await acme.server.ask("Hello?")
    states = await capped(acme, cap("messages", "day", 1), cap("money", "month", 5_000_000, soft=1))

    error = refused(await acme.server.post("/v1/chat", {"message": "Again?"}), 429, "messages_per_day_reached")
    found = {(each["measure"], each["period"]): each for each in states}
    assert error["details"]["limit"] == "messages_per_day"
    assert found["messages", "day"] == {
        "subject": "tenant",
        "measure": "messages",
        "period": "day",
        "plan": 100_000,
        "own": 1,
        "hard": 1,
        "soft": 1,
        "used": 1,
    }
    assert (found["money", "month"]["own"], found["money", "month"]["soft"]) == (5_000_000, 1)
    await capped(acme, cap("money", "month", 5_000_000, soft=1))
    model.says("Hello again.")
    events = await acme.server.stream("Again?")
    assert ended_once(events).name == "done"
    assert [event.data["code"] for event in events if event.name == "warning"] == ["money_per_month_nearly_reached"]


async def test_a_cap_that_is_set_later_counts_what_was_used_before(acme: Company, model: Model) -> None:
    await capped(acme, cap("messages", "day", 50))
    for _ in range(2):
        model.says("Hello.")
        await acme.server.ask("Hello?")
    await capped(acme)
    model.says("Hello.")
    await acme.server.ask("Hello?")

    await capped(acme, cap("messages", "day", 3))

    refused(await acme.server.post("/v1/chat", {"message": "Again?"}), 429, "messages_per_day_reached")


@pytest.mark.parametrize(
    ("caps", "code"),
    [
        ([cap("tokens", "day", 10**12)], "cap_above_plan"),
        ([cap("tokens", "day", 10), cap("tokens", "day", 20)], "invalid_request"),
        ([cap("tokens", "day", 10, soft=11)], "invalid_request"),
        ([cap("tokens", "day", 0)], "invalid_request"),
        ([cap("tokens", "day", 2**63)], "invalid_request"),
        ([cap("tokens", "year", 10)], "invalid_request"),
        ([cap("coffee", "day", 10)], "invalid_request"),
    ],
)
async def test_a_cap_that_is_none_is_refused_and_changes_nothing(
    acme: Company, caps: list[dict[str, Any]], code: str
) -> None:
    await capped(acme, cap("tokens", "day", PLENTY))

    refused(await acme.staff.put("/v1/usage/caps", {"caps": caps}), 400, code)

    kept = granted(await acme.staff.get("/v1/usage/caps"))["caps"]
    assert [each["own"] for each in kept if each["own"]] == [PLENTY]


async def test_the_steps_of_an_answer_are_shown_to_the_company_alone(acme: Company, model: Model) -> None:
    visitor = await acme.visitor()
    model.says("Hello.")
    answer = await visitor.ask("Hello?")

    shown = (await acme.staff.get(f"/v1/conversations/{answer['conversation_id']}")).json()["messages"][-1]
    hidden = (await visitor.conversation(answer["conversation_id"]))["messages"][-1]

    assert {"place", "admit", "search", "compose", "first_token", "generate"} <= set(shown["timings"])
    assert shown["timings"]["generate"] >= shown["timings"]["first_token"] > 0
    assert hidden["timings"] is None
