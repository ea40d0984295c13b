"""Which key goes where, and what the request says."""

import subprocess
import sys
from typing import Any

import pytest

from chatconnect.adapters.model_registry import MAX_ACCOUNTS, ModelRegistry
from chatconnect.adapters.public_addresses import public_address
from chatconnect.domain.errors import Invalid, ProviderFailed
from chatconnect.domain.secret import Secret
from chatconnect.ports.models import ChatModel, GenerationOptions, ModelEndpoint, TextDelta
from tests.integration.providers.conftest import QUESTION, Dialect, collect
from tests.integration.providers.scripted import ScriptedProvider


async def test_the_deployments_key_is_used_unless_the_endpoint_brings_one(
    dialect: Dialect, provider: ScriptedProvider, registry: ModelRegistry
) -> None:
    provider.plays(dialect.answer("a"), dialect.answer("b"))

    await collect(registry.at(ModelEndpoint(dialect.provider, "model-1")))
    await collect(registry.at(ModelEndpoint(dialect.provider, "model-1", access_token=Secret("theirs"))))

    own, theirs = (str(request.headers) for request in provider.requests)
    assert "sk-very-secret" in own
    assert "theirs" in theirs
    assert "sk-very-secret" not in theirs


async def test_the_deployments_key_never_goes_to_another_address(dialect: Dialect, registry: ModelRegistry) -> None:
    elsewhere = ModelEndpoint(dialect.provider, "model-1", base_url="http://127.0.0.1:9/v1")

    with pytest.raises(ProviderFailed) as caught:
        registry.at(elsewhere)

    assert caught.value.code == "provider_not_configured"


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_without_any_key_the_provider_is_not_configured(provider: str) -> None:
    with pytest.raises(ProviderFailed) as caught:
        ModelRegistry().at(ModelEndpoint(provider, "model-1"))

    assert caught.value.code == "provider_not_configured"


def test_an_unknown_provider_is_invalid() -> None:
    with pytest.raises(Invalid) as caught:
        ModelRegistry().at(ModelEndpoint("nobody", "model-1"))

    assert caught.value.code == "unknown_provider"


async def test_after_closing_the_next_use_connects_anew(
    dialect: Dialect, provider: ScriptedProvider, registry: ModelRegistry, model: ChatModel
) -> None:
    provider.plays(*[dialect.answer("Four")] * 3)
    await collect(model)

    await registry.aclose()
    again = await collect(registry.at(ModelEndpoint(dialect.provider, "model-1")))
    held_since_before = await collect(model)

    assert again[0] == held_since_before[0] == TextDelta("Four")


async def test_many_tenants_keys_do_not_pile_up(
    dialect: Dialect, provider: ScriptedProvider, registry: ModelRegistry, model: ChatModel
) -> None:
    provider.plays(dialect.answer("Four"))

    for number in range(MAX_ACCOUNTS + 10):
        registry.at(ModelEndpoint(dialect.provider, "model-1", access_token=Secret(f"key-{number}")))

    assert len(registry._accounts) == MAX_ACCOUNTS
    assert (await collect(model))[0] == TextDelta("Four")  # its account fell out, and still works


async def test_openai_gets_the_temperature_and_a_compatible_server_the_older_name_of_the_limit(
    provider: ScriptedProvider,
) -> None:
    dialect = Dialect("openai")
    registry = dialect.registry(provider.url)
    provider.plays(dialect.answer("a"), dialect.answer("b"))
    model = registry.at(ModelEndpoint("openai", "model-1"))

    await collect(model, QUESTION, GenerationOptions(max_tokens=9, temperature=0.0))
    await collect(model, QUESTION, GenerationOptions(max_tokens=9))
    await registry.aclose()

    with_temperature, without = (request.body for request in provider.requests)
    assert with_temperature["max_tokens"] == 9
    assert with_temperature["temperature"] == 0
    assert "temperature" not in without


async def test_a_model_that_thinks_gets_no_temperature_and_the_newer_name_of_the_limit(
    provider: ScriptedProvider,
) -> None:
    dialect = Dialect("openai")
    registry = dialect.registry(provider.url)
    provider.plays(dialect.answer("a"))

    model = registry.at(ModelEndpoint("openai", "gpt-5.4-mini"))
    await collect(model, QUESTION, GenerationOptions(max_tokens=9, temperature=0.2))
    await registry.aclose()

    body = provider.requests[0].body
    assert body["max_completion_tokens"] == 9
    assert not {"temperature", "max_tokens"} & body.keys()


async def test_anthropic_gets_its_instructions_apart_and_no_temperature(provider: ScriptedProvider) -> None:
    dialect = Dialect("anthropic")
    registry = dialect.registry(provider.url)
    provider.plays(dialect.answer("a"))

    await collect(
        registry.at(ModelEndpoint("anthropic", "model-1")), QUESTION, GenerationOptions(max_tokens=9, temperature=1.7)
    )
    await registry.aclose()

    body = provider.requests[0].body
    assert body["system"] == QUESTION.system
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert "temperature" not in body


def test_choosing_models_loads_no_vendors_package() -> None:
    program = (
        "import sys; from chatconnect.adapters import minilm, model_registry, openai_embeddings;"
        "print({'openai', 'anthropic', 'httpx2', 'numpy', 'tokenizers'} & set(sys.modules))"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    assert loaded.stdout.strip() == "set()"


async def test_an_address_of_a_tenants_own_is_looked_up_by_our_rules_and_refused_when_it_is_inside(
    dialect: Dialect, provider: ScriptedProvider
) -> None:
    provider.plays(dialect.answer("Four"))
    registry = ModelRegistry(resolve=public_address)
    inside = ModelEndpoint(dialect.provider, "model-1", provider.url, Secret("sk-of-a-tenant"))

    with pytest.raises(ProviderFailed):
        await collect(registry.at(inside))

    assert provider.requests == []
    await registry.aclose()


async def test_the_deployments_own_address_may_be_inside(dialect: Dialect, provider: ScriptedProvider) -> None:
    provider.plays(dialect.answer("Four"))
    url = f"{provider.url}/v1" if dialect.provider == "openai" else provider.url
    own: dict[str, Any] = {f"{dialect.provider}_key": Secret("sk-of-ours"), f"{dialect.provider}_base_url": url}
    registry = ModelRegistry(**own, resolve=public_address)

    deltas = await collect(registry.at(ModelEndpoint(dialect.provider, "model-1")))

    assert deltas[0] == TextDelta("Four")
    await registry.aclose()
