"""Keeping tenants within their plans: what an answer may take is set aside before it begins."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from uuid import UUID

from chatconnect.domain.assistant import AssistantConfig
from chatconnect.domain.budget import Whose
from chatconnect.domain.conversation import Message, Turn, Usage
from chatconnect.domain.identifiers import KeyId, MessageId, new_id
from chatconnect.domain.pricing import Price, PriceTable
from chatconnect.domain.tenant import Plan
from chatconnect.ports.budgets import Budgets, Reservation, Wanted
from chatconnect.ports.traffic import Rate
from chatconnect.services.metering import MESSAGE_TOKENS, TOOL_USE_TOKENS, CountTokens
from chatconnect.services.model_choice import endpoints
from chatconnect.services.turn_budget import TurnBudget, amounts

PASSAGE_TOKENS = 1_200
"""Two chunks at their longest that were joined, with title, headings and frame."""
TOOL_TOKENS = 300
"""What one tool's name, description and parameters usually come to."""
FRAME_TOKENS = 100
"""What stands around the passages and the summary."""
SUMMARY_TOKENS = 1_500
"""A summary at its longest; it comes in place of messages that do not go along."""
OTHER_VOCABULARY = 0.2
"""By how much a prompt may come out longer in a vocabulary that is not OpenAI's, which tokens are counted in."""


class SpendingService:
    """Reserves the worst case of an answer against its tenant's plan, and settles to what it really took."""

    def __init__(self, *, budgets: Budgets, prices: PriceTable, count_tokens: CountTokens) -> None:
        self._budgets, self._prices, self._count_tokens = budgets, prices, count_tokens

    async def admit(
        self,
        rate: Rate,
        plan: Plan,
        turn: Turn,
        config: AssistantConfig,
        history: Sequence[Message],
        controls: Sequence[str] = (),
        *,
        key_id: KeyId | None = None,
    ) -> Reservation:
        """Count the request and set aside what the answer's first call may take, in one round trip.

        It may be shorter than the assistant's bound then. `controls` are what the model is told beside the assistant's
        own instructions, `key_id` the key that a server asks with. Raises LimitReached for the rate or for a cap.
        What is reserved is to be settled or released, whatever happens; what never is comes back by itself.
        """
        wanted = Wanted(
            turn.answer.id,
            self._longest_prompt(config, turn.question, history, controls),
            config.max_tokens,
            self._dearest(config, turn),
            turn.answer.created_at,
            asked_by=_askers(turn, key_id),
            opens=turn.opens,
        )
        reserved = await self._budgets.reserve(turn.conversation.tenant_id, plan.caps, wanted, rate)
        return replace(reserved, plan=plan)

    def budget(self, reservation: Reservation, config: AssistantConfig) -> TurnBudget:
        """Return what the turn's calls may take, of which the first is set aside."""
        return TurnBudget(
            self._budgets, reservation, self._count_tokens, extras=_extras(config), margin=_margin(config)
        )

    def budget_beside(self, reservation: Reservation, config: AssistantConfig) -> TurnBudget:
        """Return what calls may take that come when the turn is settled; to be settled by itself."""
        beside = replace(reservation.wanted, answer_id=MessageId(new_id()), messages=0, opens=False)
        return TurnBudget(
            self._budgets, replace(reservation, wanted=beside), self._count_tokens, margin=_margin(config)
        )

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Count what the answer really took."""
        await self._budgets.settle(reservation, amounts(reservation, usage))

    async def release(self, reservation: Reservation) -> None:
        """Give everything back: there was no answer to make."""
        await self._budgets.settle(reservation, {})

    def _longest_prompt(
        self, config: AssistantConfig, question: Message, history: Sequence[Message], controls: Sequence[str]
    ) -> int:
        """Return how many tokens the prompt has at most, before anybody knows which passages it will hold."""
        texts = [config.system_prompt, *config.control_messages, *controls, config.refusal, question.text]
        texts += [message.text for message in history]
        said = sum(self._count_tokens(text) + MESSAGE_TOKENS for text in texts) + FRAME_TOKENS + _extras(config)
        if len(history) >= config.history_messages > 0:
            said += SUMMARY_TOKENS
        return ceil((said + config.retrieval.limit * PASSAGE_TOKENS) * (1 + _margin(config)))

    def _dearest(self, config: AssistantConfig, turn: Turn) -> Price | None:
        """Return the price to count with before it is known which of the assistant's models will answer."""
        day = turn.answer.created_at.date()
        prices = [price for each in endpoints(config) if (price := self._prices.find(each.provider, each.model, day))]
        if not prices:
            return None
        return replace(
            prices[0],
            input=max(price.dearest_input for price in prices),
            output=max(price.output for price in prices),
            cache_write=None,
        )


def _askers(turn: Turn, key_id: KeyId | None) -> dict[Whose, UUID]:
    """Return those whose use a turn is, beside the tenant."""
    who: dict[Whose, UUID | None] = {
        Whose.KEY: key_id,
        Whose.VISITOR: turn.conversation.visitor_id,
        Whose.CONVERSATION: turn.conversation.id,
    }
    return {whose: id_ for whose, id_ in who.items() if id_ is not None}


def _extras(config: AssistantConfig) -> int:
    """Return the tokens that are set aside for what the model is told of its tools."""
    return TOOL_USE_TOKENS + TOOL_TOKENS * len(config.tools) if config.tools else 0


def _margin(config: AssistantConfig) -> float:
    known = config.provider == "openai" and config.base_url is None
    return 0.0 if known and config.fallback is None else OTHER_VOCABULARY
