"""A source at a Dify server of this computer, and what a search of it brings."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatconnect.adapters.dify import DifyServers
from chatconnect.domain.errors import KnowledgeSourceFailed
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.knowledge import Passage
from chatconnect.domain.knowledge_source import KnowledgeSource
from chatconnect.domain.secret import Secret
from tests.dify_server import KEY, DifyServer
from tests.factories import a_knowledge_source

ACME = TenantId(new_id())
TEXTS = {"Workshop.pdf": "The bicycle workshop opens at nine.", "Shipping.md": "Parcels to Iceland travel by ship."}
PATIENCE = 1.5


@pytest.fixture
async def dify() -> AsyncIterator[DifyServer]:
    async with DifyServer() as server:
        yield server


@pytest.fixture
async def servers() -> AsyncIterator[DifyServers]:
    servers = DifyServers(allow_loopback=True, seconds=PATIENCE)
    yield servers
    await servers.aclose()


def at(dify: DifyServer, **changes: Any) -> KnowledgeSource:
    fields = {"base_url": dify.url, "dataset_id": dify.holds(TEXTS), "api_key": Secret(KEY)} | changes
    return a_knowledge_source(ACME, **fields)


async def found(
    servers: DifyServers, source: KnowledgeSource, query: str = "workshop", limit: int = 5
) -> list[Passage]:
    return await servers.at(source).search(query, limit=limit, threshold=0.25)


async def failure(servers: DifyServers, source: KnowledgeSource) -> KnowledgeSourceFailed:
    with pytest.raises(KnowledgeSourceFailed) as caught:
        await found(servers, source)
    assert "workshop" not in f"{caught.value.message} {caught.value.reason} {caught.value.details}"
    assert KEY not in f"{caught.value.message} {caught.value.reason} {caught.value.details}"
    return caught.value
