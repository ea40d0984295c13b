"""What a conversation remembers: which messages go along, and the summary of those that no longer do."""

from collections.abc import Callable, Sequence
from functools import partial

from chatconnect.domain.assistant import Assistant, AssistantConfig
from chatconnect.domain.conversation import Message, Turn
from chatconnect.domain.errors import Caught, ChatConnectError
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.memory import (
    LONGEST_SUMMARY,
    SUMMARY_TASK,
    Recollection,
    Summary,
    dialogue_text,
    extract,
    history_budget,
    recollected,
    to_summarise,
)
from chatconnect.domain.windows import ContextWindows
from chatconnect.ports.clock import Clock
from chatconnect.ports.conversations import ConversationsOf
from chatconnect.services.metering import CountTokens
from chatconnect.services.side_calls import SideCalls
from chatconnect.services.turn_budget import TurnBudget

_SUMMARY_SECONDS = 20.0
_SUMMARY_TOKENS = 500
_PASSAGE_TOKENS = 600  # of one passage, cut as documents are by default, with its frame

OnMemoryFault = Callable[[Turn, BaseException], None]


class MemoryService:
    """Remembers conversations within the window of the model that answers.

    `count_tokens` need not be exact for every vendor: OpenAI's vocabulary counts Anthropic's prompts some percent low,
    which the margin that is kept free allows for.
    """

    def __init__(
        self,
        *,
        conversations_of: ConversationsOf,
        calls: SideCalls,
        windows: ContextWindows,
        count_tokens: CountTokens,
        clock: Clock,
        on_fault: OnMemoryFault,
    ) -> None:
        self._conversations_of, self._calls, self._windows = conversations_of, calls, windows
        self._count_tokens, self._clock, self._on_fault = count_tokens, clock, on_fault

    def recollect(self, history: Sequence[Message], config: AssistantConfig, *, prompt: Sequence[str]) -> Recollection:
        """Return what of the branch goes into a prompt whose other parts are `prompt`."""
        if not history:
            return Recollection((), ())
        used = sum(map(self._count_tokens, prompt)) if self._may_be_full(history, config, prompt) else 0
        return self._recollected(history, config, used)

    async def summary(self, tenant_id: TenantId, history: Sequence[Message], config: AssistantConfig) -> Summary | None:
        """Return the summary that reaches furthest on the branch, where not all of it goes along; None without one.

        None too when it cannot be read: an answer that remembers less is better than none.
        """
        if not self._expected(history, config).fallen or not config.history_messages:
            return None
        ids = [message.id for message in history]
        try:
            return await self._conversations_of(tenant_id).find_summary(history[-1].conversation_id, ids)
        except ChatConnectError:
            return None

    async def remember(self, turn: Turn, assistant: Assistant, history: Sequence[Message], budget: TurnBudget) -> None:
        """Summarise what the next prompt on this branch will leave out, when that is more than is summarised already.

        To be called when the turn is over; no reader waits for it. What the model takes is set aside in `budget` and
        added to the turn's answer; without room for it, what was said stands in for what the model would make of it.
        Raises nothing: what fails is tried again after the next turn.
        """
        config, branch = assistant.config, (*history, turn.question, turn.answer)
        fallen = len(self._expected(branch, config).fallen)
        if not fallen or not config.history_messages:
            return
        try:
            with Caught(partial(self._on_fault, turn)):
                await self._summarise(turn, config, branch, fallen, budget)
        finally:
            await budget.settle_beside()

    async def _summarise(
        self, turn: Turn, config: AssistantConfig, branch: Sequence[Message], fallen: int, budget: TurnBudget
    ) -> None:
        conversations = self._conversations_of(turn.conversation.tenant_id)
        ids = [message.id for message in branch]
        last = await conversations.find_summary(turn.conversation.id, ids)
        taken = to_summarise(branch, last, messages=config.history_messages, fallen=fallen)
        if not taken:
            return
        previous = last.text if last else ""
        if config.provider == "offline":
            text, model = extract(previous, taken), config.model
        else:
            text = await self._written(config, previous, taken, budget)
            model = config.model
        summary = Summary(turn.conversation.id, taken[-1].id, text, model, self._clock())
        await conversations.add_summary(summary, turn, budget.beside)

    async def _written(
        self, config: AssistantConfig, previous: str, taken: Sequence[Message], budget: TurnBudget
    ) -> str:
        """Return the model's summary; what stands in for it when the model fails or may take nothing more."""
        said = dialogue_text(taken)
        text = f"What was said before, in short:\n{previous}\n\nThen:\n{said}" if previous else said
        try:
            written = await self._calls.ask(
                self._calls.own(config),
                SUMMARY_TASK,
                text,
                max_tokens=_SUMMARY_TOKENS,
                seconds=_SUMMARY_SECONDS,
                budget=budget,
            )
        except (ChatConnectError, TimeoutError):
            written = ""
        return written[: 2 * LONGEST_SUMMARY] or extract(previous, taken)

    def _expected(self, history: Sequence[Message], config: AssistantConfig) -> Recollection:
        """Return what would go along beside as many passages as there may be."""
        passages = config.retrieval.limit * _PASSAGE_TOKENS
        return self._recollected(history, config, passages + len(config.system_prompt) // 2)

    def _recollected(self, history: Sequence[Message], config: AssistantConfig, prompt: int) -> Recollection:
        window = self._windows.tokens(config.provider, config.model, self._clock().date())
        budget = history_budget(window, answer=config.max_tokens, prompt=prompt)
        return recollected(history, messages=config.history_messages, budget=budget, count_tokens=self._count_tokens)

    def _may_be_full(self, history: Sequence[Message], config: AssistantConfig, prompt: Sequence[str]) -> bool:
        """Whether tokens have to be counted: not when even the bytes of everything fit."""
        size = sum(len(text.encode("utf-8", "replace")) for text in prompt)
        size += sum(len(message.text.encode("utf-8", "replace")) for message in history[-config.history_messages :])
        window = self._windows.tokens(config.provider, config.model, self._clock().date())
        return 2 * size > history_budget(window, answer=config.max_tokens, prompt=0)
