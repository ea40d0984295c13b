"""OpenAI's moderation endpoint."""

import asyncio

import orjson

from chatconnect.adapters.openai import OpenAIAccount, openai_errors
from chatconnect.domain.errors import ProviderFailed
from chatconnect.domain.secret import Secret

MODEL = "omni-moderation-latest"
PATIENCE_SECONDS = 5.0


class OpenAIModeration:
    """Judges texts by OpenAI's categories. Without a key every question raises ProviderFailed."""

    def __init__(self, key: Secret | None, base_url: str | None = None) -> None:
        self._account = OpenAIAccount(key, base_url) if key else None

    async def categories(self, text: str) -> tuple[str, ...]:
        """Return the categories that a text falls under. Raises ProviderBusy, ProviderFailed."""
        if self._account is None:
            raise ProviderFailed("provider_not_configured")
        with openai_errors():
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await self._account.post("/moderations", {"model": MODEL, "input": text})
        return _flagged(answer)

    async def aclose(self) -> None:
        """Close the connections; the next use opens new ones."""
        if self._account:
            await self._account.aclose()


def _flagged(body: bytes) -> tuple[str, ...]:
    try:
        result = orjson.loads(body)["results"][0]
        found = tuple(name for name, flagged in result["categories"].items() if flagged)
        return found or (("other",) if result["flagged"] else ())
    except (ValueError, TypeError, AttributeError, LookupError):
        raise ProviderFailed from None
