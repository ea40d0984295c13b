"""Data rights over HTTP: archives that can be fetched, erasures that stop an answer, and who may ask for them."""

import json
import zipfile
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.integration.api.clients import WEBSITE, Caller, Company, ended_once, granted, refused
from tests.integration.api.conftest import Model


@pytest.fixture
async def visitor(company: Company) -> tuple[Caller, str]:
    """A visitor and their id."""
    path = f"/v1/widgets/{company.widget_key}/token"
    given = granted(await company.http.post(path, headers={"Origin": WEBSITE}))
    return Caller(company.http, given["token"], WEBSITE), given["visitor_id"]


async def fetched(url: str) -> dict[str, str]:
    async with httpx.AsyncClient(timeout=30, trust_env=False) as s3:
        answer = await s3.get(url)
    assert answer.is_success, answer.text
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


async def test_a_visitors_data_are_fetched_then_erased_and_the_receipt_is_good(
    company: Company, visitor: tuple[Caller, str]
) -> None:
    caller, visitor_id = visitor
    answer = await caller.ask("How long do parcels to Iceland travel? My name is Arnaldur.")

    export = granted(await company.staff.post(f"/v1/visitors/{visitor_id}/export"))
    entries = await fetched(export["download_url"])
    erasure = granted(await company.staff.post(f"/v1/visitors/{visitor_id}/erase"))

    assert (export["status"], erasure["status"]) == ("done", "done")
    assert "Arnaldur" in entries["messages/00001.jsonl"]
    assert set(erasure["receipt"]["stores"]) == {"postgres", "qdrant", "redis", "s3"}
    assert {figures["left"] for figures in erasure["receipt"]["stores"].values()} == {0}
    assert erasure["receipt"]["stores"]["redis"]["found"] > 0
    assert "Arnaldur" not in json.dumps(erasure)
    refused(await company.staff.get(f"/v1/conversations/{answer['conversation_id']}"), 404, "not_found")
    refused(await company.staff.post(f"/v1/visitors/{visitor_id}/export"), 404, "not_found")
    shown = granted(await company.staff.get(f"/v1/data-requests/{export['id']}"))
    assert (shown["status"], shown["download_url"]) == ("expired", None)
    signed = {name: erasure[name] for name in ("receipt", "signature")}
    assert granted(await company.staff.post("/v1/data-requests/verify", signed)) == {"valid": True}
    signed["receipt"]["visitor_id"] = str(uuid4())
    assert granted(await company.staff.post("/v1/data-requests/verify", signed)) == {"valid": False}


async def test_an_answer_that_is_being_made_stops_when_its_visitor_is_erased(
    talking: Company, model: Model, visitor: tuple[Caller, str]
) -> None:
    caller, visitor_id = visitor
    steps: list[str | float] = [0.1, "goes on "]
    model.says("It ", *steps * 100)
    events: list[Any] = []

    async with caller.streaming("Tell me everything.") as stream:
        async for event in stream:
            events.append(event)
            if event.name == "token" and sum(each.name == "token" for each in events) == 1:
                erasure = granted(await talking.staff.post(f"/v1/visitors/{visitor_id}/erase"))

    assert ended_once(events).data["finish_reason"] == "cancelled"
    assert erasure["status"] == "done"
    refused(await talking.staff.get(f"/v1/conversations/{events[0].data['conversation_id']}"), 404, "not_found")


async def test_the_company_is_erased_by_its_owner_with_its_name_and_not_at_once(company: Company) -> None:
    path = f"/v1/tenants/{company.tenant_id}/erase"

    refused(await company.staff.post(path, {"name": "Globexx"}), 400, "name_mismatch")
    refused(await company.server.post(path, {"name": "Globex"}), 401, "token_invalid")
    request = granted(await company.staff.post(path, {"name": "Globex"}))
    cancelled = granted(await company.staff.post(f"/v1/data-requests/{request['id']}/cancel"))

    assert (request["status"], cancelled["status"], cancelled["due_at"]) == ("waiting", "cancelled", None)
    assert request["due_at"] > request["requested_at"]
    refused(await company.staff.post(f"/v1/data-requests/{request['id']}/cancel"), 409, "not_waiting")
    listed = granted(await company.staff.get("/v1/data-requests", limit=1))["requests"]
    assert [each["id"] for each in listed] == [request["id"]]
    assert request["id"] not in str(granted(await company.server.get("/v1/data-requests")))


async def test_periods_are_kept_and_checked(company: Company) -> None:
    path = f"/v1/tenants/{company.tenant_id}/retention"
    periods = {"conversation_days": 365, "audit_days": None}

    before = granted(await company.staff.get(path))
    saved = granted(await company.staff.put(path, periods))
    refused(await company.staff.put(path, periods | {"audit_days": 0}), 400, "invalid_request")

    assert before == {"conversation_days": None, "audit_days": None}
    assert saved == periods == granted(await company.server.get(path))
