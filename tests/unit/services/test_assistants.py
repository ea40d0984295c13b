"""Setting assistants up: what is refused before it is stored, and what an edit that is overtaken does."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from chatconnect.domain.assistant import AssistantConfig, Retrieval
from chatconnect.domain.assistant_versions import MAX_ASSISTANTS
from chatconnect.domain.errors import ChatConnectError, Conflict, Invalid, NotFound, ProviderFailed
from chatconnect.domain.identifiers import AssistantId, KnowledgeSourceId, TenantId, new_id
from chatconnect.domain.secret import Secret
from chatconnect.ports.models import ModelEndpoint
from chatconnect.ports.tenants import NewTenant
from chatconnect.services.assistants import Alter, AssistantService, Edit
from chatconnect.services.model_trials import ModelTrialService
from tests.factories import a_knowledge_source, a_tenant
from tests.fakes.assistants import MemoryAssistants, SomeAddresses
from tests.fakes.clock import SetClock
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.knowledge_sources import MemoryKnowledgeSources, StoredKnowledgeSources
from tests.fakes.models import OneModel, ScriptedModel
from tests.fakes.tenants import MemoryAccounts, MemoryTenants, StoredTenants

TOKEN = Secret("sk-of-the-tenant")


@dataclass
class Office:
    """A tenant whose staff set assistants up."""

    new: NewTenant
    stored: StoredTenants = field(default_factory=StoredTenants)
    sources: StoredKnowledgeSources = field(default_factory=dict)
    epochs: StoredEpochs = field(default_factory=StoredEpochs)
    allow_http: bool = False

    @property
    def tenant_id(self) -> TenantId:
        return self.new.tenant.id

    @property
    def assistant_id(self) -> AssistantId:
        return self.new.assistant.id

    @property
    def store(self) -> MemoryAssistants:
        return MemoryAssistants(self.stored, self.tenant_id)

    @property
    def service(self) -> AssistantService:
        return AssistantService(
            assistants_of=lambda tenant_id: MemoryAssistants(self.stored, tenant_id),
            tenants_of=lambda tenant_id: MemoryTenants(self.stored, tenant_id),
            sources_of=lambda tenant_id: MemoryKnowledgeSources(self.sources, tenant_id),
            addresses=SomeAddresses("inside.example"),
            epochs=MemoryEpochs(self.epochs),
            clock=SetClock(),
            allow_http=self.allow_http,
        )

    async def publishes(self, alter: Alter) -> AssistantConfig:
        saved = await self.service.save_and_publish(self.tenant_id, self.assistant_id, alter, Edit())
        return saved.assistant.config

    async def rolls_back(self, number: int) -> AssistantConfig:
        back = await self.service.roll_back(self.tenant_id, self.assistant_id, number, Edit())
        return back.assistant.config


@pytest.fixture
async def office() -> Office:
    office = Office(a_tenant("Acme"))
    await MemoryAccounts(office.stored).open_tenant(office.new)
    return office


def with_openai(base_url: str | None = "https://models.example") -> Alter:
    return lambda config: config.with_model("openai", "gpt-5-mini", base_url=base_url)


@pytest.mark.parametrize("url", ["https://inside.example/v1", "http://models.example/v1"])
async def test_an_address_that_may_not_be_asked_is_refused_wherever_it_is_saved(office: Office, url: str) -> None:
    config = with_openai(url)(office.new.assistant.config)

    for attempt in (
        office.publishes(with_openai(url)),
        office.service.save_draft(office.tenant_id, office.assistant_id, with_openai(url), Edit()),
        office.service.create(office.tenant_id, config, Edit()),
    ):
        with pytest.raises(Invalid) as refused:
            await attempt
        assert refused.value.details == {"field": "base_url"}
    assert (await office.store.get(office.assistant_id)).latest_version == 1


async def test_plain_http_will_do_on_one_machine(office: Office) -> None:
    office.allow_http = True

    assert (await office.publishes(with_openai("http://models.example"))).base_url == "http://models.example"


async def test_a_knowledge_source_that_is_not_there_is_refused_when_it_comes_back_too(office: Office) -> None:
    source = a_knowledge_source(office.tenant_id)
    await MemoryKnowledgeSources(office.sources, office.tenant_id).add(source)
    elsewhere = Retrieval(knowledge_source=source.id)

    await office.publishes(lambda config: config.with_retrieval(elsewhere))
    await office.publishes(lambda config: config.with_retrieval(Retrieval()))
    await MemoryKnowledgeSources(office.sources, office.tenant_id).delete(source.id)

    with pytest.raises(NotFound):
        await office.rolls_back(2)
    with pytest.raises(NotFound):
        await office.publishes(
            lambda config: config.with_retrieval(Retrieval(knowledge_source=KnowledgeSourceId(new_id())))
        )


async def test_a_draft_goes_on_from_the_draft_and_a_publication_from_what_is_published(office: Office) -> None:
    service = office.service

    await service.save_draft(office.tenant_id, office.assistant_id, lambda config: config.with_name("Draft"), Edit())
    second = await service.save_draft(
        office.tenant_id, office.assistant_id, lambda config: config.with_temperature(1.0), Edit()
    )
    published = await office.publishes(lambda config: config.with_temperature(2.0))

    assert (second.assistant.config.name, second.assistant.config.temperature) == ("Draft", 1.0)
    assert (published.name, published.temperature) == (office.new.assistant.config.name, 2.0)


async def test_an_edit_that_is_overtaken_begins_anew_and_loses_nothing(office: Office) -> None:
    await office.publishes(lambda config: with_openai()(config).with_access_token(TOKEN))

    def renamed(number: int) -> Alter:
        return lambda config: replace(config, control_messages=(*config.control_messages, f"Rule {number}."))

    await asyncio.gather(*(office.publishes(renamed(number)) for number in range(5)))

    config = (await office.store.get(office.assistant_id)).assistant.config
    assert sorted(config.control_messages) == [f"Rule {number}." for number in range(5)]
    assert config.access_token == TOKEN


async def test_an_edit_that_says_what_it_began_with_is_refused_instead(office: Office) -> None:
    edit = Edit(expected=1)
    await office.service.rename(office.tenant_id, office.assistant_id, "Once", edit)

    with pytest.raises(Conflict) as refused:
        await office.service.rename(office.tenant_id, office.assistant_id, "Twice", edit)

    assert refused.value.code == "version_conflict"
    assert (await office.store.get(office.assistant_id)).assistant.config.name == "Once"


async def test_a_roll_back_restores_all_but_the_token(office: Office) -> None:
    old = await office.publishes(lambda config: with_openai()(config).with_access_token(Secret("sk-leaked-token")))
    await office.publishes(lambda config: config.with_access_token(TOKEN).with_temperature(2.0))

    assert await office.rolls_back(2) == old.with_access_token(TOKEN)
    await office.publishes(lambda config: config.with_access_token(None))
    assert await office.rolls_back(2) == old.with_access_token(None)
    await office.publishes(with_openai("https://elsewhere.example"))
    await office.publishes(lambda config: config.with_access_token(TOKEN))
    assert await office.rolls_back(2) == old.with_access_token(None)


async def test_a_tenant_has_so_many_assistants_and_no_more(office: Office) -> None:
    config = office.new.assistant.config
    for _ in range(MAX_ASSISTANTS - 1):
        await office.service.create(office.tenant_id, config, Edit())

    with pytest.raises(Conflict) as refused:
        await office.service.create(office.tenant_id, config, Edit())

    assert refused.value.code == "too_many_assistants"


def trials(office: Office, model: ScriptedModel, patience: float = 3.0) -> tuple[ModelTrialService, OneModel]:
    models = OneModel(model)
    service = ModelTrialService(
        assistants_of=lambda tenant_id: MemoryAssistants(office.stored, tenant_id),
        tenants_of=lambda tenant_id: MemoryTenants(office.stored, tenant_id),
        models=models,
        addresses=SomeAddresses("inside.example"),
        patience=patience,
    )
    return service, models


async def test_a_trial_asks_the_very_model_of_the_version(office: Office) -> None:
    await office.publishes(lambda config: with_openai()(config).with_access_token(TOKEN))
    await office.publishes(lambda config: config.with_model("offline", "quotes"))
    service, models = trials(office, ScriptedModel("OK"))

    published = await service.test(office.tenant_id, office.assistant_id)
    older = await service.test(office.tenant_id, office.assistant_id, 2)

    assert models.endpoints[1] == ModelEndpoint("openai", "gpt-5-mini", "https://models.example", TOKEN)
    assert (published.version, published.provider, published.failure) == (3, "offline", None)
    assert (older.version, older.model) == (2, "gpt-5-mini")
    assert older.first_answer_ms is not None
    assert 0 <= older.first_answer_ms <= older.total_ms
    with pytest.raises(NotFound):
        await service.test(office.tenant_id, office.assistant_id, 9)


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (ScriptedModel(ProviderFailed("provider_rejected")), "provider_rejected"),
        (ScriptedModel("Be", ProviderFailed()), "provider_failed"),
        (ScriptedModel(1.0, "Late"), "provider_timeout"),
    ],
)
async def test_what_goes_wrong_is_told_by_its_code(office: Office, model: ScriptedModel, code: str) -> None:
    service, _ = trials(office, model, patience=0.05)

    trial = await service.test(office.tenant_id, office.assistant_id)

    assert isinstance(trial.failure, ChatConnectError)
    assert trial.failure.code == code


async def test_an_address_that_is_inside_by_now_is_not_asked(office: Office) -> None:
    config = with_openai("https://inside.example")(office.new.assistant.config)
    stored = replace(office.new.assistant, config=config)
    office.stored.assistants[office.tenant_id, office.assistant_id] = stored
    service, models = trials(office, ScriptedModel("OK"))

    trial = await service.test(office.tenant_id, office.assistant_id)

    assert trial.failure is not None
    assert trial.failure.code == "address_not_public"
    assert models.endpoints == []
