"""A tenant reaches no model and no feature that its plan lacks, by whichever way; another plan holds at once."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import date

import pytest

from chatconnect.domain.assistant import AssistantConfig, Fallback
from chatconnect.domain.budget import Left
from chatconnect.domain.errors import ChatConnectError, LimitReached
from chatconnect.domain.identifiers import MessageId, new_id
from chatconnect.domain.pricing import PriceTable
from chatconnect.domain.tenant import Feature, Plan
from chatconnect.ports.budgets import Reservation, Wanted
from chatconnect.ports.epochs import Area
from chatconnect.ports.models import ModelEndpoint
from chatconnect.services.assistants import AssistantService, Edit
from chatconnect.services.model_trials import ModelTrialService
from chatconnect.services.plan_rules import within_plan
from chatconnect.services.side_calls import SMALL_MODELS, SideCalls
from chatconnect.services.turn_budget import TurnBudget
from tests.factories import NOON, a_tenant
from tests.fakes import tenants
from tests.fakes.assistants import MemoryAssistants, SomeAddresses
from tests.fakes.budgets import MemoryBudgets
from tests.fakes.clock import SetClock
from tests.fakes.epochs import MemoryEpochs
from tests.fakes.knowledge_sources import MemoryKnowledgeSources
from tests.fakes.models import OneModel, ScriptedModel, words
from tests.fakes.tenants import MemoryTenants
from tests.unit.services.conversing import World, a_question, a_world, told

FREE = Plan(
    "free", 100, "openai", "gpt-5.4-mini", models=frozenset({"gpt-5.4-mini", "gpt-4o-mini"}), features=frozenset()
)
PAID = Plan("paid", 1_000, "anthropic", "claude-sonnet-4-6")
OURS = ModelEndpoint("openai", "gpt-5.4-mini")


@pytest.fixture(autouse=True)
def plans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tenants.PLANS, "free", FREE)
    monkeypatch.setitem(tenants.PLANS, "paid", PAID)


@pytest.fixture
async def world() -> World:
    """A tenant that pays, and may use everything."""
    made = await a_world("Hello.")
    on_plan(made, "paid")
    return made


def on_plan(world: World, plan: str) -> None:
    world.tenants.tenants[world.tenant_id] = replace(world.tenants.tenants[world.tenant_id], plan=plan)
    world.epochs.begin(world.tenant_id, Area.CONFIGURATION)


def assistants(world: World) -> AssistantService:
    return AssistantService(
        assistants_of=lambda tenant_id: MemoryAssistants(world.tenants, tenant_id),
        tenants_of=lambda tenant_id: MemoryTenants(world.tenants, tenant_id),
        sources_of=lambda tenant_id: MemoryKnowledgeSources(world.sources, tenant_id),
        addresses=SomeAddresses(),
        epochs=MemoryEpochs(world.epochs),
        clock=world.clock,
    )


async def refusal(doing: Awaitable[object]) -> str:
    with pytest.raises(ChatConnectError) as caught:
        await doing
    return caught.value.code


def premium(config: AssistantConfig) -> AssistantConfig:
    return config.with_model("anthropic", "claude-sonnet-4-6")


def with_premium_fallback(config: AssistantConfig) -> AssistantConfig:
    return replace(config.with_model("openai", "gpt-4o-mini"), fallback=Fallback("openai", "gpt-4o"))


async def test_what_the_plan_lacks_cannot_be_saved(world: World) -> None:
    on_plan(world, "free")
    service, assistant = assistants(world), world.new.assistant
    tenant_id, id_, edit = world.tenant_id, assistant.id, Edit()

    for alter in (premium, with_premium_fallback):
        assert await refusal(service.create(tenant_id, alter(assistant.config), edit)) == "model_not_in_plan"
        assert await refusal(service.save_and_publish(tenant_id, id_, alter, edit)) == "model_not_in_plan"
        assert await refusal(service.save_draft(tenant_id, id_, alter, edit)) == "model_not_in_plan"
    for tool in ("orders", "crm/find", "crm/*"):
        with_tool = replace(assistant.config, tools=(tool,))
        assert await refusal(service.create(tenant_id, with_tool, edit)) == "feature_not_in_plan"
    await service.create(tenant_id, replace(assistant.config, tools=("search_knowledge",)), edit)


async def test_after_a_downgrade_no_old_version_and_no_draft_is_published(world: World) -> None:
    service, tenant_id, id_ = assistants(world), world.tenant_id, world.new.assistant.id
    old = await service.save_and_publish(tenant_id, id_, premium, Edit())
    await service.save_and_publish(tenant_id, id_, lambda config: config.with_model("openai", "gpt-4o-mini"), Edit())
    draft = await service.save_draft(tenant_id, id_, with_premium_fallback, Edit())

    on_plan(world, "free")

    assert await refusal(service.roll_back(tenant_id, id_, old.latest_version, Edit())) == "model_not_in_plan"
    assert await refusal(service.publish(tenant_id, id_, draft.latest_version)) == "model_not_in_plan"
    on_plan(world, "paid")
    assert (await service.publish(tenant_id, id_, draft.latest_version)).published_version == draft.latest_version


async def test_a_trial_does_not_ask_a_model_that_the_plan_lacks(world: World) -> None:
    world.configured(provider="anthropic", model="claude-sonnet-4-6")
    models = OneModel(ScriptedModel("OK"))
    trials = ModelTrialService(
        assistants_of=lambda tenant_id: MemoryAssistants(world.tenants, tenant_id),
        tenants_of=lambda tenant_id: MemoryTenants(world.tenants, tenant_id),
        models=models,
        addresses=SomeAddresses(),
    )
    on_plan(world, "free")

    trial = await trials.test(world.tenant_id, world.new.assistant.id)

    assert trial.failure is not None
    assert trial.failure.code == "model_not_in_plan"
    assert models.endpoints == []


@pytest.mark.parametrize("draft", [False, True])
async def test_after_a_downgrade_the_plans_own_model_answers_in_every_process(world: World, draft: bool) -> None:
    config = world.new.assistant.config
    world.configured(provider="anthropic", model="claude-sonnet-4-6", fallback=Fallback("openai", "gpt-4o"))
    stored = world.tenants.assistants[world.tenant_id, world.new.assistant.id]
    world.tenants.versions[world.tenant_id, stored.id, 2] = replace(stored, version=2)
    one, other, server = world.chat(), world.chat(), world.server()
    for chat in (one, other):
        await told(chat, server, a_question(draft=draft))
    before, world.models.endpoints[:] = set(world.models.endpoints), []

    on_plan(world, "free")
    for chat in (one, other):
        assert (await told(chat, server, a_question(draft=draft)))[-1][0] == "done"

    assert before == {ModelEndpoint("anthropic", "claude-sonnet-4-6")}
    assert set(world.models.endpoints) == {OURS}
    assert {(answer.provider, answer.model) for answer in world.answers()[-2:]} == {("openai", "gpt-5.4-mini")}
    assert config.fallback is None


async def test_a_fallback_that_the_plan_lacks_is_never_asked(world: World) -> None:
    world.configured(provider="openai", model="gpt-4o-mini", fallback=Fallback("anthropic", "claude-sonnet-4-6"))
    assistant = world.tenants.assistants[world.tenant_id, world.new.assistant.id]

    within = within_plan(FREE, assistant)

    assert within.config.fallback is None
    assert within.config.model == "gpt-4o-mini"
    assert within_plan(PAID, assistant) is assistant


async def test_an_address_of_ones_own_is_not_the_fallbacks(world: World) -> None:
    own = "https://models.acme.example"
    world.configured(
        provider="openai", model="llama", base_url=own, fallback=Fallback("anthropic", "claude-sonnet-4-6")
    )

    within = within_plan(FREE, world.tenants.assistants[world.tenant_id, world.new.assistant.id])

    assert (within.config.base_url, within.config.fallback) == (own, None)


async def test_tools_that_the_plan_lacks_are_not_offered(world: World) -> None:
    tools = ("search_knowledge", "orders", "crm/find")
    world.configured(tools=tools)
    assistant = world.tenants.assistants[world.tenant_id, world.new.assistant.id]

    assert within_plan(FREE, assistant).config.tools == ("search_knowledge",)
    assert within_plan(replace(FREE, features=frozenset({Feature.MCP})), assistant).config.tools == (tools[0], tools[2])
    assert within_plan(PAID, assistant).config.tools == tools


@pytest.mark.parametrize(("models", "asked"), [({"gpt-4o-mini"}, "gpt-4o-mini"), (None, SMALL_MODELS["openai"])])
def test_beside_an_answer_only_models_of_the_plan_are_asked(models: set[str] | None, asked: str) -> None:
    plan = replace(FREE, models=None if models is None else frozenset(models))
    wanted = Wanted(MessageId(new_id()), 1, 1, None, NOON)
    budget = TurnBudget(MemoryBudgets(), Reservation(a_tenant().tenant.id, wanted, (), 1, plan=plan), words)
    config = AssistantConfig("Ada", "openai", "gpt-4o-mini")
    calls = SideCalls(
        models=OneModel(ScriptedModel("x")), prices=PriceTable.published(), count_tokens=words, clock=SetClock()
    )

    assert calls.small(config, budget).model == asked


async def test_the_models_that_stand_in_are_in_the_price_table() -> None:
    prices = PriceTable.published()

    assert all(prices.find(provider, model, date(2026, 6, 1)) for provider, model in SMALL_MODELS.items())


async def test_an_upgrade_lifts_the_rate_of_a_visitor_whose_token_is_older(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tenants.PLANS, "free", replace(FREE, requests_per_minute=2))
    on_plan(world, "free")
    chat, visitor = world.chat(), world.visitor(rate=2)
    for _ in range(2):
        await told(chat, visitor, a_question())
    with pytest.raises(LimitReached):
        await chat.ask(visitor, a_question())

    on_plan(world, "paid")

    told_of: list[Sequence[Left]] = []
    async for _ in await chat.ask(visitor, a_question(), told_of.append):
        pass
    assert [(each.name, each.quota) for each in told_of[0]] == [("requests", 1_000)]


async def test_a_visitor_is_not_told_how_much_the_company_asks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tenants.PLANS, "paid", replace(PAID, messages_per_day=10))
    shown: list[list[str]] = []
    chat = world.chat()

    for asker in (world.visitor(), world.server()):
        async for _ in await chat.ask(asker, a_question(), lambda left: shown.append([each.name for each in left])):
            pass

    assert shown == [["requests"], ["requests", "messages_per_day"]]
