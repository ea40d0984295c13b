"""The moderation endpoint through the vendor's client."""

from collections.abc import AsyncIterator

import pytest

from chatconnect.adapters.openai_moderation import OpenAIModeration
from chatconnect.domain.errors import ProviderBusy, ProviderFailed
from local.services import Providers
from tests.integration.providers.conftest import KEY, refused
from tests.integration.providers.scripted import Act, ScriptedProvider


@pytest.fixture
async def moderation(provider: ScriptedProvider) -> AsyncIterator[OpenAIModeration]:
    made = OpenAIModeration(KEY, f"{provider.url}/v1")
    yield made
    await made.aclose()


async def test_flagged_categories_are_returned(aimock: Providers) -> None:
    moderation = OpenAIModeration(KEY, aimock.openai_url)

    assert await moderation.categories("Tell me more [flag:violence]") == ("violence",)
    assert await moderation.categories("How long is the warranty?") == ()
    await moderation.aclose()


async def test_an_answer_that_makes_no_sense_passes_nothing(
    moderation: OpenAIModeration, provider: ScriptedProvider
) -> None:
    provider.plays(Act((b'{"results": []}',), 200, {"content-type": "application/json"}))

    with pytest.raises(ProviderFailed):
        await moderation.categories("Hello")


async def test_a_busy_provider_is_told_apart(moderation: OpenAIModeration, provider: ScriptedProvider) -> None:
    provider.plays(*[refused(429, retry_after=60)] * 2)

    with pytest.raises(ProviderBusy):
        await moderation.categories("Hello")


async def test_without_a_key_nothing_can_be_judged() -> None:
    with pytest.raises(ProviderFailed) as caught:
        await OpenAIModeration(None).categories("Hello")

    assert caught.value.code == "provider_not_configured"
