"""Composes the prompt of a turn, and composes it again from what was kept."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatconnect.domain.assistant import Assistant, AssistantConfig
from chatconnect.domain.citations import remembered
from chatconnect.domain.composition import instructions, material
from chatconnect.domain.context import PromptContext
from chatconnect.domain.conversation import Message, Role, Turn
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import MessageId, TenantId
from chatconnect.domain.knowledge import Passage
from chatconnect.domain.memory import Recollection, Summary
from chatconnect.ports.conversations import Conversations, ConversationsOf
from chatconnect.ports.epochs import Epoch
from chatconnect.ports.models import Prompt, PromptMessage
from chatconnect.ports.tenants import TenantsOf
from chatconnect.services.condensing import Condenser
from chatconnect.services.memory import MemoryService
from chatconnect.services.retrieval import RetrievalService
from chatconnect.services.timings import Timings
from chatconnect.services.turn_budget import TurnBudget

_TURN = 2  # messages


@dataclass(frozen=True, slots=True)
class Composition:
    """A prompt with what it was made of."""

    prompt: Prompt
    passages: list[Passage]
    context: PromptContext


class Composer:
    """Finds what belongs into a prompt: passages, and as much of the conversation as fits."""

    def __init__(self, *, retrieval: RetrievalService, condenser: Condenser, memory: MemoryService) -> None:
        self._retrieval, self._condenser, self._memory = retrieval, condenser, memory

    async def compose(
        self,
        turn: Turn,
        assistant: Assistant,
        history: Sequence[Message],
        company: str,
        *,
        budget: TurnBudget,
        timings: Timings,
        epoch: Epoch | None = None,
        controls: tuple[str, ...] = (),
    ) -> Composition:
        """Return the turn's prompt; model calls that this takes are part of `budget`. Raises what retrieval raises.

        The search goes by what was kept in `epoch`; None: by nothing.
        """
        config, tenant_id = assistant.config, turn.conversation.tenant_id
        (query, passages), summary = await asyncio.gather(
            self._found(turn, history, config, budget, timings, epoch),
            self._memory.summary(tenant_id, history, config),
        )
        with timings.step("compose"):
            told = (
                instructions(config, company=company, controls=controls),
                material(passages, summary.text if summary else None, refusal=config.refusal),
                turn.question.text,
            )
            recollection = self._memory.recollect(history, config, prompt=told)
            if not recollection.fallen:
                summary = None
            context = PromptContext(
                company=company,
                query=query,
                history=tuple(message.id for message in recollection.kept),
                summary=summary.last_message_id if summary else None,
                passages=tuple(passage.chunk for passage in passages),
                controls=controls,
            )
            prompt = prompt_of(config, context, recollection.kept, turn.question.text, summary, passages)
            lasting = _lasting(recollection, config) if config.prompt_cache else None
            return Composition(replace(prompt, lasting=lasting), passages, context)

    async def _found(
        self,
        turn: Turn,
        history: Sequence[Message],
        config: AssistantConfig,
        budget: TurnBudget,
        timings: Timings,
        epoch: Epoch | None,
    ) -> tuple[str, list[Passage]]:
        with timings.step("condense"):
            query = await self._condenser.query(turn.question.text, history, config, budget)
        with timings.step("retrieve"):
            found = await self._retrieval.search_at(
                epoch, turn.conversation.tenant_id, query, config.retrieval, timings
            )
        return query, found


def _lasting(recollection: Recollection, config: AssistantConfig) -> int:
    """Return how many of the remembered messages the next prompt begins with too: none, once the oldest fall out."""
    after = len(recollection.fallen) + len(recollection.kept) + _TURN
    return len(recollection.kept) if after <= config.history_messages else 0


class PromptService:
    """Makes the prompts of past turns again."""

    def __init__(self, *, conversations_of: ConversationsOf, tenants_of: TenantsOf) -> None:
        self._conversations_of, self._tenants_of = conversations_of, tenants_of

    async def rebuild(self, tenant_id: TenantId, message_id: MessageId) -> tuple[Prompt, PromptContext]:
        """Return what the model was given for an answer, byte for byte, and what it was made of.

        Raises NotFound when there is no such answer, or it ended before its prompt was made.
        """
        conversations = self._conversations_of(tenant_id)
        answer, context = await asyncio.gather(
            conversations.find_message(message_id), conversations.find_context(message_id)
        )
        if answer is None or context is None or answer.parent_id is None or answer.assistant_version is None:
            raise NotFound("prompt", message_id)
        conversation = await conversations.get(answer.conversation_id)
        wanted = (*context.history, answer.parent_id)
        messages, summary, assistant = await asyncio.gather(
            conversations.messages(wanted),
            _summary(conversations, context.summary),
            self._tenants_of(tenant_id).assistant(conversation.assistant_id, answer.assistant_version),
        )
        if len(messages) != len(wanted) or (context.summary and summary is None):
            raise NotFound("prompt", message_id)
        *history, question = messages
        passages = [Passage(chunk, 0.0) for chunk in context.passages]
        return prompt_of(assistant.config, context, history, question.text, summary, passages), context


async def _summary(conversations: Conversations, last: MessageId | None) -> Summary | None:
    """Return the summary up to a message, which stands in the conversation that was forked where a fork copied it."""
    for message in await conversations.messages([last]) if last else ():
        return await conversations.find_summary(message.conversation_id, [message.id])
    return None


def prompt_of(
    config: AssistantConfig,
    context: PromptContext,
    history: Sequence[Message],
    question: str,
    summary: Summary | None,
    passages: Sequence[Passage],
) -> Prompt:
    """Return the prompt: instructions, the dialogue, and the question with its material. Nothing else goes into it."""
    dialogue = [
        PromptMessage("user", message.text)
        if message.role is Role.USER
        else PromptMessage("assistant", remembered(message))
        for message in history
    ]
    data = material(passages, summary.text if summary else None, refusal=config.refusal)
    asked = PromptMessage("user", question, data=data)
    return Prompt(
        instructions=instructions(config, company=context.company, controls=context.controls),
        messages=(*dialogue, asked),
        passages=tuple(passages),
        refusal=config.refusal,
    )
