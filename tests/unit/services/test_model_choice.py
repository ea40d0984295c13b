"""What happens to an answer when its model does not work."""

import pytest

from chatconnect.domain.assistant import Fallback
from chatconnect.domain.errors import ProviderBusy, ProviderFailed
from chatconnect.domain.secret import Secret
from chatconnect.ports.models import ModelEndpoint
from chatconnect.services import model_choice
from tests.fakes.models import OneModel, ScriptedModel, Step
from tests.unit.services.conversing import World, a_question, a_world, names, text_of, told

FALLBACK = Fallback("anthropic", "claude-haiku-4-5")
OWN_ADDRESS = {
    "provider": "openai",
    "model": "gpt-5-mini",
    "base_url": "https://models.example.com",
    "access_token": Secret("sk-of-acme"),
}


class TwoModels(OneModel):
    """The assistant's own model and its fallback, told apart by their names."""

    def __init__(self, own: ScriptedModel, other: ScriptedModel) -> None:
        super().__init__(own)
        self.own, self.other = own, other

    def at(self, endpoint: ModelEndpoint) -> ScriptedModel:
        self.endpoints.append(endpoint)
        return self.other if endpoint.model == FALLBACK.model else self.own


async def a_world_of_two(*own: Step, other: ScriptedModel | None = None) -> tuple[World, TwoModels]:
    world = await a_world(fallback=FALLBACK)
    models = TwoModels(ScriptedModel(*own), other or ScriptedModel("From the other."))
    world.models = models
    return world, models


@pytest.mark.parametrize("fault", [ProviderFailed(), ProviderBusy(3), ProviderFailed("provider_not_configured")])
async def test_the_fallback_answers_for_a_model_that_fails_before_its_first_token(fault: Exception) -> None:
    world, _ = await a_world_of_two(fault)

    heard = await told(world.chat(), world.visitor(), a_question())

    assert (text_of(heard), heard[-1][0]) == ("From the other.", "done")
    [answer] = world.answers()
    assert (answer.provider, answer.model) == (FALLBACK.provider, FALLBACK.model)
    cost_of_haiku = -(-(800 * 1_000_000 + 200 * 100_000 + 100 * 5_000_000) // 1_000_000)
    assert heard[-1][1]["usage"]["cost_microusd"] == cost_of_haiku


async def test_the_models_own_answer_needs_no_fallback() -> None:
    world, models = await a_world_of_two("Mine.")

    heard = await told(world.chat(), world.visitor(), a_question())

    assert text_of(heard) == "Mine."
    assert models.other.prompts == []
    assert world.answers()[0].model == "gpt-5-mini"


async def test_after_the_first_token_a_fault_is_a_fault() -> None:
    world, models = await a_world_of_two("It costs", ProviderFailed())

    heard = await told(world.chat(), world.visitor(), a_question())

    assert names(heard)[-2:] == ["token", "error"]
    assert models.other.prompts == []


async def test_when_the_fallback_fails_too_that_is_the_error() -> None:
    world, _ = await a_world_of_two(ProviderFailed(), other=ScriptedModel(ProviderBusy(9)))

    heard = await told(world.chat(), world.visitor(), a_question())

    assert heard[-1][1]["code"] == "provider_busy"


async def test_a_token_goes_to_the_same_provider_only() -> None:
    world, models = await a_world_of_two(ProviderFailed())
    world.configured(**OWN_ADDRESS, fallback=FALLBACK)

    await told(world.chat(), world.visitor(), a_question())

    assert models.endpoints[-1] == ModelEndpoint("anthropic", "claude-haiku-4-5")


async def test_a_fallback_at_the_same_provider_uses_the_same_account() -> None:
    world = await a_world(ProviderFailed())
    world.configured(**OWN_ADDRESS, fallback=Fallback("openai", "gpt-5-nano"))

    await told(world.chat(), world.visitor(), a_question())

    assert [(each.base_url, each.access_token, each.model) for each in world.models.endpoints] == [
        ("https://models.example.com", Secret("sk-of-acme"), "gpt-5-mini"),
        ("https://models.example.com", Secret("sk-of-acme"), "gpt-5-nano"),
    ]


async def test_a_dead_provider_is_not_waited_for_by_every_visitor() -> None:
    world, models = await a_world_of_two(ProviderFailed())
    chat, visitor = world.chat(), world.visitor()

    heard = [await told(chat, visitor, a_question()) for _ in range(20)]

    assert len(models.own.prompts) == model_choice.FAILURES_TO_OPEN
    assert {text_of(each) for each in heard} == {"From the other."}


async def test_without_a_fallback_a_dead_provider_is_told_at_once() -> None:
    world = await a_world(ProviderFailed())
    chat, visitor = world.chat(), world.visitor()

    heard = [await told(chat, visitor, a_question()) for _ in range(20)]

    assert {each[-1][1]["code"] for each in heard} == {"provider_failed"}
    assert len(world.model.prompts) == model_choice.FAILURES_TO_OPEN


async def test_after_a_while_one_call_finds_out_whether_the_provider_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(model_choice, "monotonic", lambda: now)
    breaker = model_choice.Breaker()
    for _ in range(model_choice.FAILURES_TO_OPEN):
        breaker.failed()

    assert not breaker.lets_pass()
    now += model_choice.OPEN_SECONDS
    assert [breaker.lets_pass() for _ in range(3)] == [True, False, False]
    breaker.failed()
    assert not breaker.lets_pass()
    now += model_choice.OPEN_SECONDS
    assert breaker.lets_pass()
    breaker.succeeded()
    assert [breaker.lets_pass() for _ in range(3)] == [True, True, True]


async def test_a_busy_provider_or_a_wrong_key_opens_nothing() -> None:
    for fault in (ProviderBusy(1), ProviderFailed("provider_rejected")):
        world = await a_world(fault)
        chat, visitor = world.chat(), world.visitor()

        for _ in range(10):
            await told(chat, visitor, a_question())

        assert len(world.model.prompts) == 10


async def test_one_tenants_address_that_is_dead_does_not_close_anothers() -> None:
    world = await a_world(ProviderFailed())
    chat, visitor = world.chat(), world.visitor()
    for _ in range(10):
        await told(chat, visitor, a_question())

    world.configured(**OWN_ADDRESS)
    await told(chat, visitor, a_question())

    assert len(world.model.prompts) == model_choice.FAILURES_TO_OPEN + 1
