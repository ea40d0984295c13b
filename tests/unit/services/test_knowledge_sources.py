"""How staff keep knowledge sources, and how answers search them."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.errors import Conflict, Invalid, KnowledgeSourceFailed, NotFound, Unavailable
from chatconnect.domain.identifiers import KnowledgeSourceId, TenantId, new_id
from chatconnect.domain.knowledge_source import KnowledgeSource
from chatconnect.domain.secret import Secret
from chatconnect.ports.epochs import Epoch
from chatconnect.ports.tenants import NewTenant
from chatconnect.services.knowledge_sources import (
    MAX_SOURCES,
    ForeignSearch,
    KnowledgeSourceDraft,
    KnowledgeSourceService,
)
from chatconnect.services.timings import Timings
from tests.factories import a_tenant
from tests.fakes.clock import SetClock
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.faults import faulty
from tests.fakes.knowledge_sources import MemoryKnowledgeSources, MemoryPassages, StoredKnowledgeSources
from tests.fakes.tenants import MemoryAccounts, MemoryTenants, StoredTenants

GLOBEX = TenantId(new_id())
QUERY = "What does the pro plan cost?"


@dataclass
class Desk:
    """A tenant's staff with all that they need."""

    new: NewTenant
    stored: StoredKnowledgeSources = field(default_factory=dict)
    source_faults: dict[str, Exception] = field(default_factory=dict)
    tenants: StoredTenants = field(default_factory=StoredTenants)
    stored_epochs: StoredEpochs = field(default_factory=StoredEpochs)
    clock: SetClock = field(default_factory=SetClock)
    base: MemoryPassages = field(default_factory=lambda: MemoryPassages(GLOBEX, {"Prices": "The pro plan costs 49."}))
    reached: list[KnowledgeSource] = field(default_factory=list)

    @property
    def acme(self) -> TenantId:
        return self.new.tenant.id

    def search(self) -> ForeignSearch:
        return ForeignSearch(sources_of=self._sources_of, reach={"dify": self._reach}, clock=self.clock)

    def service(self, *, allow_http: bool = False) -> KnowledgeSourceService:
        return KnowledgeSourceService(
            sources_of=self._sources_of,
            tenants_of=lambda tenant_id: MemoryTenants(self.tenants, tenant_id),
            search=self.search(),
            epochs=MemoryEpochs(self.stored_epochs),
            clock=self.clock,
            allow_http=allow_http,
        )

    async def epoch(self) -> Epoch | None:
        return await MemoryEpochs(self.stored_epochs).of(self.acme)

    def _sources_of(self, tenant_id: TenantId) -> MemoryKnowledgeSources:
        return faulty(MemoryKnowledgeSources(self.stored, tenant_id), self.source_faults)

    def _reach(self, source: KnowledgeSource) -> MemoryPassages:
        self.reached.append(source)
        return self.base


@pytest.fixture
async def desk() -> Desk:
    desk = Desk(a_tenant())
    await MemoryAccounts(desk.tenants).open_tenant(desk.new)
    return desk


def draft(**changes: Any) -> KnowledgeSourceDraft:
    wanted = KnowledgeSourceDraft("handbook", "dify", "https://dify.example.com/v1", "d-1", Secret("dataset-key"))
    return replace(wanted, **changes)


async def searched(
    desk: Desk, search: ForeignSearch, source_id: KnowledgeSourceId, *, limit: int = 5, threshold: float = 0.0
) -> list[str]:
    wanted = Retrieval(limit, threshold, knowledge_source=source_id)
    found = await search.search_at(await desk.epoch(), desk.acme, source_id, QUERY, wanted, Timings())
    return [passage.chunk.text for passage in found]


async def test_a_source_is_kept_and_changed_and_removed(desk: Desk) -> None:
    service = desk.service()

    source = await service.add(desk.acme, draft())
    desk.clock.advance(5)
    changed = await service.change(desk.acme, source.id, draft(name="new", api_key=None))
    listed = await service.sources(desk.acme)
    await service.delete(desk.acme, source.id)

    assert (changed.id, changed.name, changed.api_key) == (source.id, "new", source.api_key)
    assert changed.created_at == source.created_at < changed.updated_at
    assert listed == [changed]
    with pytest.raises(NotFound):
        await service.source(desk.acme, source.id)


async def test_a_stored_key_does_not_move_to_another_address(desk: Desk) -> None:
    source = await desk.service().add(desk.acme, draft())
    elsewhere = draft(base_url="https://elsewhere.example.com", api_key=None)

    with pytest.raises(Invalid) as caught:
        await desk.service().change(desk.acme, source.id, elsewhere)
    moved = await desk.service().change(desk.acme, source.id, replace(elsewhere, api_key=Secret("another-key")))

    assert caught.value.details["field"] == "api_key"
    assert moved.api_key == Secret("another-key")


@pytest.mark.parametrize(
    ("change", "field_name"), [({"api_key": None}, "api_key"), ({"base_url": "http://dify.example.com"}, "base_url")]
)
async def test_what_a_new_source_lacks_is_named(desk: Desk, change: dict[str, Any], field_name: str) -> None:
    with pytest.raises(Invalid) as caught:
        await desk.service().add(desk.acme, draft(**change))

    assert caught.value.details["field"] == field_name


async def test_plain_http_is_taken_where_it_is_allowed(desk: Desk) -> None:
    source = await desk.service(allow_http=True).add(desk.acme, draft(base_url="http://127.0.0.1:5001"))

    assert source.base_url == "http://127.0.0.1:5001"


async def test_there_are_only_so_many(desk: Desk) -> None:
    for number in range(MAX_SOURCES):
        await desk.service().add(desk.acme, draft(name=f"source {number}"))

    with pytest.raises(Conflict) as caught:
        await desk.service().add(desk.acme, draft(name="one more"))

    assert caught.value.code == "too_many_sources"


async def test_a_source_that_an_assistant_names_stays(desk: Desk) -> None:
    service = desk.service()
    source = await service.add(desk.acme, draft())
    assistant = desk.new.assistant
    config = assistant.config.with_retrieval(Retrieval(knowledge_source=source.id))
    desk.tenants.assistants[desk.acme, assistant.id] = replace(assistant, config=config)

    with pytest.raises(Conflict) as caught:
        await service.delete(desk.acme, source.id)

    assert (caught.value.code, caught.value.details["assistant_id"]) == ("source_in_use", str(assistant.id))
    assert await service.source(desk.acme, source.id) == source


@pytest.mark.parametrize("change", ["add", "change", "delete"])
async def test_every_change_begins_a_new_epoch(desk: Desk, change: str) -> None:
    service = desk.service()
    source = await service.add(desk.acme, draft())
    before = await desk.epoch()

    match change:
        case "add":
            await service.add(desk.acme, draft(name="second"))
        case "change":
            await service.change(desk.acme, source.id, draft(name="new"))
        case _:
            await service.delete(desk.acme, source.id)

    after = await desk.epoch()
    assert before is not None
    assert after is not None
    assert before.configuration != after.configuration


async def test_a_trial_shows_what_is_found(desk: Desk) -> None:
    source = await desk.service().add(desk.acme, draft())

    trial = await desk.service().test(desk.acme, source.id, QUERY, Retrieval(3, 0.1))

    assert (trial.failure, [passage.chunk.title for passage in trial.passages]) == (None, ["Prices"])
    assert desk.base.searches == [(QUERY, 3, 0.1)]


async def test_a_trial_that_fails_says_why(desk: Desk) -> None:
    source = await desk.service().add(desk.acme, draft())
    desk.base.failure = KnowledgeSourceFailed("status 401", code="knowledge_source_rejected")

    trial = await desk.service().test(desk.acme, source.id, QUERY, Retrieval())

    assert (trial.failure, trial.passages) == (desk.base.failure, ())


@pytest.mark.parametrize("query", ["", "  ", "\x00"])
async def test_a_trial_looks_for_something(desk: Desk, query: str) -> None:
    source = await desk.service().add(desk.acme, draft())

    with pytest.raises(Invalid):
        await desk.service().test(desk.acme, source.id, query, Retrieval())


async def test_an_answer_finds_passages_in_its_source(desk: Desk) -> None:
    source = await desk.service().add(desk.acme, draft())

    assert await searched(desk, desk.search(), source.id, limit=3, threshold=0.1) == ["The pro plan costs 49."]
    assert desk.base.searches == [(QUERY, 3, 0.1)]
    assert desk.reached == [source]


async def test_the_sources_configuration_is_read_once_while_nothing_changes(desk: Desk) -> None:
    source, search = await desk.service().add(desk.acme, draft()), desk.search()
    await searched(desk, search, source.id)
    desk.source_faults["get"] = Unavailable("the database")

    assert await searched(desk, search, source.id)
    desk.stored_epochs.away = True
    with pytest.raises(Unavailable):
        await searched(desk, search, source.id)


async def test_a_changed_source_is_searched_as_it_is_now(desk: Desk) -> None:
    source, search = await desk.service().add(desk.acme, draft()), desk.search()
    await searched(desk, search, source.id)
    changed = await desk.service().change(desk.acme, source.id, draft(dataset_id="d-2"))

    await searched(desk, search, source.id)

    assert desk.reached == [source, changed]


async def test_a_source_that_is_gone_is_an_honest_error(desk: Desk) -> None:
    with pytest.raises(KnowledgeSourceFailed) as caught:
        await searched(desk, desk.search(), KnowledgeSourceId(new_id()))

    assert caught.value.code == "knowledge_source_missing"


async def test_another_tenants_source_is_not_searched(desk: Desk) -> None:
    foreign = await desk.service().add(GLOBEX, draft())

    with pytest.raises(KnowledgeSourceFailed):
        await searched(desk, desk.search(), foreign.id)
    for refused in (
        desk.service().source(desk.acme, foreign.id),
        desk.service().change(desk.acme, foreign.id, draft()),
        desk.service().delete(desk.acme, foreign.id),
        desk.service().test(desk.acme, foreign.id, QUERY, Retrieval()),
    ):
        with pytest.raises(NotFound):
            await refused
    assert desk.reached == []
