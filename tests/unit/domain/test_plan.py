"""What a plan includes."""

from dataclasses import replace

import pytest

from chatconnect.domain.errors import Forbidden
from chatconnect.domain.tenant import Feature, Plan, StandardModels

SMALL = Plan(
    "small", 100, "openai", "gpt-4o-mini", models=frozenset({"gpt-4o-mini"}), features=frozenset({Feature.MCP})
)
OWN = "https://models.acme.example/v1"


@pytest.mark.parametrize(
    ("provider", "model", "base_url"),
    [
        ("openai", "gpt-4o-mini", None),
        ("openai", "gpt-4o-mini-2024-07-18", None),
        ("openai", "gpt-4o-mini", "https://api.openai.com/v1"),
        ("openai", "llama-4", OWN),
        ("anthropic", "claude-sonnet-4-6", OWN),
        ("offline", "quotations", None),
    ],
)
def test_a_model_of_the_plan_and_one_at_an_address_of_ones_own_may_be_asked(
    provider: str, model: str, base_url: str | None
) -> None:
    SMALL.check_model(provider, model, base_url)


@pytest.mark.parametrize(
    ("provider", "model", "base_url"),
    [
        ("openai", "gpt-4o", None),
        ("openai", "gpt-4o-2024-08-06", None),
        ("openai", "GPT-4o-mini", None),
        ("openai", "gpt-4o-mini-2024-07-18-tuned", None),
        ("openai", "ft:gpt-4o-mini:acme", None),
        ("openai", "gpt-4o", "https://api.openai.com/v1"),
        ("openai", "gpt-4o", "https://API.OPENAI.COM./v1"),
        ("openai", "gpt-4o", "https://eu.api.openai.com:443/v1"),
        ("anthropic", "claude-sonnet-4-6", None),
        ("anthropic", "claude-sonnet-4-6", "https://api.anthropic.com"),
    ],
)
def test_another_model_may_not_be_asked_at_its_provider(provider: str, model: str, base_url: str | None) -> None:
    with pytest.raises(Forbidden) as caught:
        SMALL.check_model(provider, model, base_url)

    assert caught.value.code == "model_not_in_plan"
    assert caught.value.details == {"plan": "small", "models": ["gpt-4o-mini"]}


def test_a_plan_without_a_list_includes_every_model() -> None:
    assert Plan("any", 100, "openai", "gpt-4o-mini").allows_model("anthropic", "claude-opus-9")


def test_what_a_deployment_serves_itself_belongs_to_every_plan() -> None:
    standard = StandardModels(frozenset({"gpt-9"}), frozenset({"openai"}), frozenset({"gpt-4o", "claude-sonnet-4-6"}))
    plan = replace(SMALL, standard=standard)

    for model in ("gpt-9", "our-llama"):
        plan.check_model("openai", model)
    for provider, model in (("openai", "gpt-4o"), ("openai", "gpt-4o-2024-08-06"), ("anthropic", "our-llama")):
        assert not plan.allows_model(provider, model)


def test_a_feature_is_included_or_not() -> None:
    SMALL.check_feature(Feature.MCP)
    with pytest.raises(Forbidden) as caught:
        SMALL.check_feature(Feature.TOOLS)

    assert caught.value.code == "feature_not_in_plan"
