"""Makes a search query of a question that needs what was said before."""

from collections.abc import Sequence

from chatconnect.domain.assistant import AssistantConfig
from chatconnect.domain.conversation import Message, Role
from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.follow_ups import CONDENSE_TASK, LONGEST_QUERY, merged, stands_alone
from chatconnect.domain.memory import dialogue_text
from chatconnect.services.side_calls import SideCalls
from chatconnect.services.turn_budget import TurnBudget

CONDENSE_SECONDS = 3.0
_MAX_TOKENS = 120
_LAST_MESSAGES = 6


class Condenser:
    """Says follow-ups in full, by a model; by their words where there is none, or no room, or no answer in time."""

    def __init__(self, *, calls: SideCalls, seconds: float = CONDENSE_SECONDS) -> None:
        self._calls, self._seconds = calls, seconds

    async def query(
        self, question: str, history: Sequence[Message], config: AssistantConfig, budget: TurnBudget
    ) -> str:
        """Return what to search for. Raises nothing that a provider may do."""
        earlier = [message.text for message in history if message.role is Role.USER]
        if config.condense == "off" or not earlier or stands_alone(question):
            return question
        by_words = merged(question, earlier)[: 2 * len(question) + LONGEST_QUERY]
        if config.provider == "offline":
            return by_words
        said = f"{dialogue_text(history[-_LAST_MESSAGES:])}\n\nLast message: {question}"
        try:
            query = await self._calls.ask(
                self._calls.small(config, budget),
                CONDENSE_TASK,
                said,
                max_tokens=_MAX_TOKENS,
                seconds=self._seconds,
                budget=budget,
            )
        except (ChatConnectError, TimeoutError):
            return by_words
        return query if 0 < len(query) <= LONGEST_QUERY else by_words
