"""Keeping tenants within their plans: what an answer may take is set aside before it begins."""

from collections.abc import Sequence

from chatconnect.domain.assistant import AssistantConfig
from chatconnect.domain.budget import Measure
from chatconnect.domain.conversation import Message, Turn, Usage
from chatconnect.domain.pricing import PriceTable
from chatconnect.domain.tenant import Plan
from chatconnect.ports.budgets import Budgets, Reservation, Wanted
from chatconnect.services.metering import MESSAGE_TOKENS, CountTokens

PASSAGE_TOKENS = 1_200
"""Two chunks at their longest that were joined, with title, headings and frame."""


class SpendingService:
    """Reserves the worst case of an answer against its tenant's plan, and settles to what it really took."""

    def __init__(self, *, budgets: Budgets, prices: PriceTable, count_tokens: CountTokens) -> None:
        self._budgets, self._prices, self._count_tokens = budgets, prices, count_tokens

    async def reserve(self, plan: Plan, turn: Turn, config: AssistantConfig, history: Sequence[Message]) -> Reservation:
        """Set aside what the answer may take; it may be shorter than the assistant's bound then. Raises LimitReached.

        What is reserved is to be settled or released, whatever happens; what never is comes back by itself.
        """
        at = turn.answer.created_at
        wanted = Wanted(
            turn.answer.id,
            self._longest_prompt(config, turn.question, history),
            config.max_tokens,
            self._prices.find(config.provider, config.model, at.date()),
            at,
        )
        return await self._budgets.reserve(turn.conversation.tenant_id, plan.caps, wanted)

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Count what the answer really took."""
        used = {
            Measure.MESSAGES: 1,
            Measure.TOKENS: usage.input_tokens + usage.output_tokens,
            Measure.MONEY: usage.cost_microusd,
        }
        await self._budgets.settle(reservation, used)

    async def release(self, reservation: Reservation) -> None:
        """Give everything back: there was no answer to make."""
        await self._budgets.settle(reservation, {})

    def _longest_prompt(self, config: AssistantConfig, question: Message, history: Sequence[Message]) -> int:
        """Return how many tokens the prompt has at most, before anybody knows which passages it will hold."""
        texts = [config.system_prompt, *config.control_messages, config.refusal, question.text]
        texts += [message.text for message in history]
        said = sum(self._count_tokens(text) + MESSAGE_TOKENS for text in texts)
        return said + config.retrieval.limit * PASSAGE_TOKENS
