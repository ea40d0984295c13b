"""How staff keep MCP servers."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chatconnect.domain.errors import Conflict, Invalid, NotFound
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.mcp import McpServer
from chatconnect.domain.secret import Secret
from chatconnect.ports.epochs import Epoch
from chatconnect.services.mcp_servers import MAX_SERVERS, McpLister, McpServerDraft, McpServerService
from tests.fakes.clock import SetClock
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.mcp import MemoryMcpServers, ScriptedMcp, StoredMcpServers

ACME = TenantId(new_id())
DRAFT = McpServerDraft("shop", "https://mcp.example.com/mcp", {"Authorization": Secret("Bearer x")})
TOOL = ("find_order", "Says where an order is.", {"type": "object"})


@dataclass
class Desk:
    """A service with all that it needs."""

    stored: StoredMcpServers = field(default_factory=dict)
    mcp: ScriptedMcp = field(default_factory=ScriptedMcp)
    clock: SetClock = field(default_factory=SetClock)
    epochs: StoredEpochs = field(default_factory=StoredEpochs)

    def service(self, *, allow_http: bool = False) -> McpServerService:
        epochs = MemoryEpochs(self.epochs)
        return McpServerService(
            servers_of=self._servers_of,
            lister=McpLister(servers_of=self._servers_of, connections=self.mcp, epochs=epochs, clock=self.clock),
            epochs=epochs,
            clock=self.clock,
            allow_http=allow_http,
        )

    async def kept(self, server: McpServer) -> McpServer:
        return await self._servers_of(ACME).get(server.id)

    async def epoch(self) -> Epoch | None:
        return await MemoryEpochs(self.epochs).of(ACME)

    def _servers_of(self, tenant_id: TenantId) -> MemoryMcpServers:
        return MemoryMcpServers(self.stored, tenant_id)


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.mcp.offers["shop"] = [TOOL]
    return desk


def draft(**changes: Any) -> McpServerDraft:
    return replace(DRAFT, **changes)


async def test_a_new_server_is_asked_for_its_tools_and_kept_with_them(desk: Desk) -> None:
    server = await desk.service().add(ACME, DRAFT)

    assert [tool.name for tool in server.tools] == ["find_order"]
    assert await desk.kept(server) == server
    assert await desk.service().servers(ACME) == [server]


async def test_a_server_that_does_not_answer_is_kept_with_its_failure(desk: Desk) -> None:
    desk.mcp.offers["shop"] = None

    server = await desk.service().add(ACME, DRAFT)

    assert (server.tools, server.failure) == ((), "the server could not be reached, or broke off")
    assert server.checked_at == desk.clock()
    assert await desk.kept(server) == server


async def test_a_server_that_is_off_is_not_asked(desk: Desk) -> None:
    server = await desk.service().add(ACME, draft(enabled=False))

    assert (server.checked_at, desk.mcp.listed) == (None, [])


async def test_a_company_has_only_so_many_servers(desk: Desk) -> None:
    service = desk.service()
    for number in range(MAX_SERVERS):
        await service.add(ACME, draft(name=f"shop{number}"))

    with pytest.raises(Conflict) as caught:
        await service.add(ACME, DRAFT)

    assert caught.value.code == "too_many_servers"


@pytest.mark.parametrize(("allow_http", "url"), [(False, "http://mcp.example.com/mcp"), (True, "ftp://example.com")])
async def test_an_address_that_is_not_https_is_refused(desk: Desk, allow_http: bool, url: str) -> None:
    with pytest.raises(Invalid) as caught:
        await desk.service(allow_http=allow_http).add(ACME, draft(url=url))

    assert caught.value.details == {"field": "url"}
    assert desk.mcp.listed == []


async def test_a_changed_server_keeps_its_secrets_within_its_origin(desk: Desk) -> None:
    service = desk.service()
    server = await service.add(ACME, DRAFT)
    desk.clock.advance(1)

    changed = await service.change(
        ACME, server.id, draft(url="https://mcp.example.com/v2", headers={"authorization": None})
    )

    assert changed.headers == {"authorization": Secret("Bearer x")}
    assert (changed.created_at, changed.updated_at) == (server.created_at, desk.clock())
    assert desk.mcp.listed == ["shop", "shop"]


async def test_a_secret_does_not_move_to_another_origin(desk: Desk) -> None:
    server = await desk.service().add(ACME, DRAFT)

    with pytest.raises(Invalid) as caught:
        await desk.service().change(
            ACME, server.id, draft(url="https://elsewhere.example.com/", headers={"Authorization": None})
        )

    assert caught.value.details == {"field": "headers.Authorization"}
    assert await desk.kept(server) == server


async def test_what_another_address_offers_is_not_known_until_it_answers(desk: Desk) -> None:
    server = await desk.service().add(ACME, DRAFT)
    desk.mcp.offers["shop"] = None

    same = await desk.service().change(ACME, server.id, DRAFT)
    moved = await desk.service().change(ACME, server.id, draft(url="https://elsewhere.example.com/"))

    assert same.tools == server.tools
    assert moved.tools == ()


async def test_a_refresh_lists_the_tools_anew(desk: Desk) -> None:
    server = await desk.service().add(ACME, DRAFT)
    desk.mcp.offers["shop"] = [TOOL, ("other", "Does.", {})]

    refreshed = await desk.service().refresh(ACME, server.id)

    assert [tool.name for tool in refreshed.tools] == ["find_order", "other"]
    assert await desk.service().server(ACME, server.id) == refreshed


async def test_answers_that_are_kept_hold_until_a_server_or_its_tools_change(desk: Desk) -> None:
    service = desk.service()
    server = await service.add(ACME, DRAFT)
    epochs = [await desk.epoch()]

    await service.refresh(ACME, server.id)
    assert await desk.epoch() == epochs[0]

    desk.mcp.offers["shop"] = []
    for change in (service.refresh(ACME, server.id), service.change(ACME, server.id, DRAFT)):
        await change
        epochs.append(await desk.epoch())
    await service.delete(ACME, server.id)
    epochs.append(await desk.epoch())

    assert len(set(epochs)) == 4


async def test_a_removed_server_is_gone(desk: Desk) -> None:
    server = await desk.service().add(ACME, DRAFT)

    await desk.service().delete(ACME, server.id)

    for missing in (
        desk.service().server(ACME, server.id),
        desk.service().refresh(ACME, server.id),
        desk.service().change(ACME, server.id, DRAFT),
        desk.service().delete(ACME, server.id),
    ):
        with pytest.raises(NotFound):
            await missing
