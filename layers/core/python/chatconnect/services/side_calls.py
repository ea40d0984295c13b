"""Short calls of a model beside an answer: a query, a summary."""

import asyncio
from contextlib import aclosing

from chatconnect.domain.assistant import AssistantConfig
from chatconnect.domain.pricing import PriceTable
from chatconnect.ports.clock import Clock
from chatconnect.ports.models import ChatModels, GenerationOptions, ModelEndpoint, Prompt, PromptMessage, TextDelta
from chatconnect.services.metering import CountTokens, MeteredModel
from chatconnect.services.model_choice import endpoints
from chatconnect.services.turn_budget import TurnBudget

# Quick and cheap ones that begin to write at once.
SMALL_MODELS = {"openai": "gpt-5.4-mini", "anthropic": "claude-haiku-4-5"}


class SideCalls:
    """Asks models for a text in one piece."""

    def __init__(self, *, models: ChatModels, prices: PriceTable, count_tokens: CountTokens, clock: Clock) -> None:
        self._models, self._prices = models, prices
        self._count_tokens, self._clock = count_tokens, clock

    async def ask(
        self, endpoint: ModelEndpoint, task: str, text: str, *, max_tokens: int, seconds: float, budget: TurnBudget
    ) -> str:
        """Return what the model makes of `text`; what it takes, whatever comes of it, is part of the turn's `budget`.

        Raises TimeoutError, LimitReached when there is no room for it, and what a model raises.
        """
        price = self._prices.find(endpoint.provider, endpoint.model, self._clock().date())
        model = MeteredModel(self._models.at(endpoint), self._count_tokens, budget.for_side_call(price))
        prompt = Prompt(instructions=task, messages=(PromptMessage("user", text),))
        pieces: list[str] = []
        try:
            async with (
                asyncio.timeout(seconds),
                aclosing(model.stream(prompt, GenerationOptions(max_tokens, temperature=None))) as deltas,
            ):
                pieces += [delta.text async for delta in deltas if isinstance(delta, TextDelta)]
        finally:
            budget.add(model.usage(price))
        return "".join(pieces).strip()

    def small(self, config: AssistantConfig, budget: TurnBudget) -> ModelEndpoint:
        """Return the provider's small model.

        It is the assistant's own where that is at an address or of a name of its own, or the plan lacks the small one.
        """
        known, plan = self._prices.find(config.provider, config.model, self._clock().date()), budget.reservation.plan
        if config.base_url is not None or known is None:
            return self.own(config)
        small = SMALL_MODELS[config.provider]
        if plan is not None and not plan.allows_model(config.provider, small):
            return self.own(config)
        return ModelEndpoint(config.provider, small, None, config.access_token)

    def own(self, config: AssistantConfig) -> ModelEndpoint:
        """Return the assistant's own model."""
        return endpoints(config)[0]
