"""The product as it was deployed: through API Gateway, S3, SQS and Lambda functions, from a new tenant to an answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from local.demo import until_processed, upload
from tests.deployed.conftest import Deployment

pytestmark = pytest.mark.timeout(300)

ORIGIN = "https://shop.example"
SECRET = "The night watch at pier 7 uses the pass phrase copper lantern."


@pytest.fixture
async def http(deployment: Deployment) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=deployment.api_url, timeout=60) as client:
        yield client


async def test_an_uploaded_text_is_cited_and_after_its_deletion_not_found(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    registration = {
        "company": "Harbour",
        "email": "owner@harbour.example",
        "password": "correct horse battery",
        "allowed_domains": ["shop.example"],
    }
    opened = (await http.post("/v1/auth/register", json=registration)).raise_for_status().json()
    staff = {"Authorization": f"Bearer {opened['secret_key']}"}
    site = {"Origin": ORIGIN}
    token = await http.post(f"/v1/widgets/{opened['widget_key']}/token", headers=site, json={})
    visitor = {"Authorization": f"Bearer {token.raise_for_status().json()['token']}", **site}
    path = tmp_path / "night watch.txt"
    path.write_text(SECRET)

    http.headers.update(staff)
    document_id = await upload(http, path)
    document = await until_processed(http, document_id)
    answer = (
        (await http.post("/v1/chat", headers=visitor, json={"message": "Which pass phrase does pier 7 use?"}))
        .raise_for_status()
        .json()
    )
    deleted = await http.delete(f"/v1/documents/{document_id}")
    found_later = await http.post("/v1/knowledge/search", json={"query": "pass phrase of pier 7"})
    answer_later = await http.post("/v1/chat", headers=visitor, json={"message": "Which pass phrase does pier 7 use?"})

    assert document["status"] == "ready", document["failure"]
    assert "copper lantern" in answer["text"]
    assert [citation["document_id"] for citation in answer["citations"]] == [document_id]
    assert deleted.status_code == 204
    assert found_later.json() == {"results": []}
    assert "copper lantern" not in answer_later.json()["text"]


async def test_a_foreign_website_gets_no_token(http: httpx.AsyncClient) -> None:
    registration = {
        "company": "Quay",
        "email": "owner@quay.example",
        "password": "correct horse battery",
        "allowed_domains": ["shop.example"],
    }
    opened = (await http.post("/v1/auth/register", json=registration)).raise_for_status().json()

    refused = await http.post(
        f"/v1/widgets/{opened['widget_key']}/token", headers={"Origin": "https://elsewhere.example"}, json={}
    )

    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "origin_not_allowed"


async def test_the_deployed_functions_say_that_all_they_need_is_there(http: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        ready = await http.get("/health/ready")

    assert ready.status_code == 200
    assert {name: part["ok"] for name, part in ready.json()["parts"].items()} == {
        "postgres": True,
        "redis": True,
        "qdrant": True,
    }
    assert ready.json()["queues"].keys() == {"uploads", "dead_letters", "turns"}
