"""Model providers that answer by script: OpenAI's and Anthropic's APIs on one port."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from local.services.node import LOCAL, MODULES, node
from local.services.process import HOST, Service, StartFailed, http_ok


class Providers(Service):
    """aimock: chat, embeddings and moderation of OpenAI, messages of Anthropic.

    A request is answered by the first fixture that matches it, and with 404 when none does. Embeddings
    that no fixture names are derived from the text. Moderation flags texts with `[flag:<category>]`.
    """

    name, variable = "providers", "PROVIDERS_PORT"

    def __init__(self, data_dir: Path, port: int, fixtures: Path | None = None) -> None:
        """Begin with the fixtures of a JSON file or of a directory of them, or with none."""
        super().__init__(data_dir, port)
        self._fixtures = fixtures

    @property
    def url(self) -> str:
        """The address without a path, which is Anthropic's base URL."""
        return f"http://{HOST}:{self.port}"

    @property
    def openai_url(self) -> str:
        """OpenAI's base URL."""
        return f"{self.url}/v1"

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        fixtures = [] if self._fixtures is None else [str(self._fixtures)]
        return [str(node()), str(LOCAL / "providers.mjs"), str(self.port), *fixtures]

    async def prepare(self) -> None:
        """Check that the Node.js packages are there."""
        if not MODULES.exists():
            raise StartFailed("the Node.js packages are missing; install them: python -m local.services.node")

    async def is_ready(self) -> bool:
        """Say whether it answers that it is well."""
        return await http_ok(self.port, "/__aimock/health")

    async def script(self, *fixtures: dict[str, Any]) -> None:
        """Add fixtures behind those that there are; raise HTTPStatusError when one is malformed."""
        await self._control("POST", "fixtures", {"fixtures": fixtures})

    async def fail_next(self, status: int, message: str = "scripted failure", kind: str = "server_error") -> None:
        """Answer the next request, and only that, with an error."""
        await self._control("POST", "error", {"status": status, "body": {"message": message, "type": kind}})

    async def disturb(self, **rates: float) -> None:
        """Disturb all requests until `reset`; replaces what was set before.

        `dropRate` (500), `malformedRate`, `rateLimitRate` (429 with Retry-After) and `disconnectRate` are
        probabilities from 0 to 1; `latencyMs` delays each request by milliseconds.
        """
        await self._control("POST", "chaos", rates)

    async def requests(self) -> list[dict[str, Any]]:
        """Return what was asked since the start or the last `reset`, oldest first, at most 1,000.

        Each has `method`, `path`, `headers`, `body`, `service` and `response` with `status`.
        """
        journal: list[dict[str, Any]] = await self._control("GET", "journal")
        return journal

    async def reset(self) -> None:
        """Forget all fixtures, failures, disturbances and requests."""
        await self._control("POST", "reset")

    async def _control(self, method: str, what: str, content: Any = None) -> Any:
        async with httpx.AsyncClient(base_url=f"{self.url}/__aimock/", trust_env=False) as client:
            response = await client.request(method, what, json=content)
        response.raise_for_status()
        return response.json()
