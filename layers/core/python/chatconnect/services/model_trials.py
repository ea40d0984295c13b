"""Asking an assistant's model something small, so that staff see whether it answers."""

import asyncio
import time
from contextlib import aclosing
from dataclasses import dataclass

from chatconnect.domain.assistant import AssistantConfig
from chatconnect.domain.errors import ChatConnectError, Unavailable
from chatconnect.domain.identifiers import AssistantId, TenantId
from chatconnect.ports.addresses import PublicAddresses
from chatconnect.ports.assistants import AssistantsOf
from chatconnect.ports.models import ChatModels, GenerationOptions, Prompt, PromptMessage
from chatconnect.ports.tenants import TenantsOf
from chatconnect.services.model_choice import endpoints

PATIENCE = 20.0
PROMPT = Prompt("Answer with the word OK and nothing else.", (PromptMessage("user", "Are you there?"),))
OPTIONS = GenerationOptions(max_tokens=64)  # a model that thinks first needs more than the word
TIMEOUT = "provider_timeout"


@dataclass(frozen=True, slots=True)
class ModelTrial:
    """What came of asking the model of a version; without a failure it works. Times are milliseconds."""

    version: int
    provider: str
    model: str
    total_ms: int
    first_answer_ms: int | None = None
    failure: ChatConnectError | None = None


class ModelTrialService:
    """Asks models as answers do: at the same addresses, with the same tokens, but once, and with no fallback."""

    def __init__(
        self,
        *,
        assistants_of: AssistantsOf,
        tenants_of: TenantsOf,
        models: ChatModels,
        addresses: PublicAddresses,
        patience: float = PATIENCE,
    ) -> None:
        self._assistants_of, self._tenants_of = assistants_of, tenants_of
        self._models, self._addresses, self._patience = models, addresses, patience

    async def test(self, tenant_id: TenantId, assistant_id: AssistantId, number: int | None = None) -> ModelTrial:
        """Ask the model of a version, or of the published one. Raises NotFound; other faults are the result."""
        assistants = self._assistants_of(tenant_id)
        published = (await assistants.get(assistant_id)).assistant
        config, version = published.config, published.version
        if number is not None:
            config, version = (await assistants.version(assistant_id, number)).config, number
        started, answered_at = time.perf_counter(), None
        failure: ChatConnectError | None = None
        try:
            async with asyncio.timeout(self._patience):
                answered_at = await self._first_answer(tenant_id, config)
        except TimeoutError:
            failure = Unavailable("the language model", code=TIMEOUT)
        except ChatConnectError as error:
            failure = error
        return ModelTrial(
            version,
            config.provider,
            config.model,
            round((time.perf_counter() - started) * 1000),
            None if answered_at is None else round((answered_at - started) * 1000),
            failure,
        )

    async def _first_answer(self, tenant_id: TenantId, config: AssistantConfig) -> float:
        """Ask, read the answer to its end, and return when it began. Raises Forbidden for a model not in the plan."""
        endpoint = endpoints(config)[0]
        plan = await self._tenants_of(tenant_id).plan()
        plan.check_model(endpoint.provider, endpoint.model, endpoint.base_url)
        if config.base_url is not None:
            await self._addresses.check(config.base_url)
        began: float | None = None
        model = self._models.at(endpoint)
        async with aclosing(model.stream(PROMPT, OPTIONS)) as deltas:
            async for _ in deltas:
                began = began or time.perf_counter()
        return began or time.perf_counter()
