"""Whatever changes what others may have cached says so, when it is stored."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from chatconnect.domain.errors import Conflict, NotFound, Unavailable
from chatconnect.domain.identifiers import DocumentId, TenantId, ToolId, new_id
from chatconnect.ports.epochs import Area
from chatconnect.ports.tenants import NewTenant
from chatconnect.services.assistants import AssistantService, Edit
from chatconnect.services.tools import ToolDraft, ToolService
from tests.factories import a_tenant
from tests.fakes.assistants import MemoryAssistants, SomeAddresses
from tests.fakes.clock import SetClock
from tests.fakes.documents import MemoryDocuments
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.faults import faulty
from tests.fakes.knowledge_sources import MemoryKnowledgeSources
from tests.fakes.tenants import MemoryAccounts, MemoryTenants, StoredTenants
from tests.fakes.tools import MemoryHttpTools, StoredTools
from tests.unit.services.knowing import ACME, Knowledge

A_TOOL = ToolDraft("orders", "Says where an order is.", {"type": "object"}, "POST", "https://api.example.com/", {})


@dataclass
class Office:
    """A tenant whose staff change its configuration; what is put into `faults` fails after it was stored."""

    new: NewTenant
    stored: StoredTenants = field(default_factory=StoredTenants)
    tools_stored: StoredTools = field(default_factory=dict)
    epochs: StoredEpochs = field(default_factory=StoredEpochs)
    faults: dict[str, Exception] = field(default_factory=dict)

    @property
    def id(self) -> TenantId:
        return self.new.tenant.id

    @property
    def assistants(self) -> AssistantService:
        return AssistantService(
            assistants_of=lambda tenant_id: faulty(MemoryAssistants(self.stored, tenant_id), self.faults),
            tenants_of=lambda tenant_id: MemoryTenants(self.stored, tenant_id),
            sources_of=lambda tenant_id: MemoryKnowledgeSources({}, tenant_id),
            addresses=SomeAddresses(),
            epochs=MemoryEpochs(self.epochs),
            clock=SetClock(),
        )

    @property
    def tools(self) -> ToolService:
        return ToolService(
            tools_of=lambda tenant_id: MemoryHttpTools(self.tools_stored, tenant_id),
            epochs=MemoryEpochs(self.epochs),
            clock=SetClock(),
        )

    async def publishes(self) -> None:
        await self.assistants.save_and_publish(
            self.id, self.new.assistant.id, lambda config: config.with_temperature(0.1), Edit()
        )

    async def adds_a_tool(self) -> ToolId:
        return (await self.tools.add(self.id, A_TOOL)).id


@pytest.fixture
async def office() -> Office:
    office = Office(a_tenant("Acme"))
    await MemoryAccounts(office.stored).open_tenant(office.new)
    return office


async def changed(epochs: StoredEpochs, tenant_id: TenantId, change: Callable[[], Awaitable[object]]) -> set[Area]:
    """The areas of which a change begins a new epoch."""
    reader = MemoryEpochs(epochs)
    before = await reader.of(tenant_id)
    await change()
    after = await reader.of(tenant_id)
    return {area for area in Area if getattr(before, area) != getattr(after, area)}


async def test_publishing_changes_the_configuration(office: Office) -> None:
    assert await changed(office.epochs, office.id, office.publishes) == {Area.CONFIGURATION}


async def test_a_publication_whose_answer_got_lost_may_have_been_stored_and_is_told(office: Office) -> None:
    office.faults["save"] = Unavailable("the database")

    async def attempt() -> None:
        with pytest.raises(Unavailable):
            await office.publishes()

    assert await changed(office.epochs, office.id, attempt) == {Area.CONFIGURATION}


async def test_adding_changing_and_deleting_a_tool_each_change_the_configuration(office: Office) -> None:
    assert await changed(office.epochs, office.id, office.adds_a_tool) == {Area.CONFIGURATION}
    [tool] = await office.tools.tools(office.id)

    async def change() -> None:
        await office.tools.change(office.id, tool.id, replace(A_TOOL, description="Says more."))

    async def delete() -> None:
        await office.tools.delete(office.id, tool.id)

    assert await changed(office.epochs, office.id, change) == {Area.CONFIGURATION}
    assert await changed(office.epochs, office.id, delete) == {Area.CONFIGURATION}


async def test_what_is_refused_before_it_is_stored_changes_nothing(office: Office) -> None:
    for _ in range(50):
        await office.tools.add(office.id, replace(A_TOOL, name=f"tool{len(office.tools_stored)}"))

    async def attempt() -> None:
        with pytest.raises(Conflict):
            await office.adds_a_tool()

    assert await changed(office.epochs, office.id, attempt) == set()


async def test_a_document_that_is_ready_is_so_before_anybody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    knowledge, seen = Knowledge(), []
    document = await knowledge.uploaded()
    tell = MemoryEpochs.changed

    async def watched(self: MemoryEpochs, tenant_id: TenantId, area: Area) -> None:
        stored = await MemoryDocuments(knowledge.stored, ACME).get(document.id)
        seen.append((area, stored.active_version_id is not None, bool(knowledge.points.points)))
        await tell(self, tenant_id, area)

    monkeypatch.setattr(MemoryEpochs, "changed", watched)

    await knowledge.ingested(document)

    # The first time there are no points yet: those that come are left out by every search from then on.
    assert seen == [(Area.KNOWLEDGE, False, False), (Area.KNOWLEDGE, True, True)]


async def test_an_upload_that_comes_again_is_told_again_in_case_it_never_was() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()

    async def again() -> None:
        assert (await knowledge.ingested(document)).outcome == "ignored"

    assert await changed(knowledge.stored_epochs, ACME, again) == {Area.KNOWLEDGE}


async def test_deleting_a_document_changes_the_knowledge_before_anything_is_purged() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()
    knowledge.point_faults["delete_version"] = Unavailable("the search")

    async def delete() -> None:
        await knowledge.documents.delete(ACME, document.id)

    assert await changed(knowledge.stored_epochs, ACME, delete) == {Area.KNOWLEDGE}


async def test_deleting_what_is_not_there_is_refused_as_before() -> None:
    with pytest.raises(NotFound):
        await Knowledge().documents.delete(ACME, DocumentId(new_id()))


async def test_reconciling_tells_of_what_it_finds_and_of_nothing_else() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()
    knowledge.point_faults["delete_version"] = Unavailable("the search")
    await knowledge.documents.delete(ACME, document.id)
    knowledge.point_faults.clear()

    assert await changed(knowledge.stored_epochs, ACME, knowledge.reconciliation.reconcile_all) == {Area.KNOWLEDGE}
    assert await changed(knowledge.stored_epochs, ACME, knowledge.reconciliation.reconcile_all) == set()
