"""Composes the prompt of a turn, and composes it again from what was kept."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chatconnect.domain.assistant import Assistant, AssistantConfig
from chatconnect.domain.citations import without_markers
from chatconnect.domain.composition import instructions
from chatconnect.domain.context import PromptContext
from chatconnect.domain.conversation import Message, Role, Turn
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import MessageId, TenantId
from chatconnect.domain.knowledge import Passage
from chatconnect.domain.memory import Summary
from chatconnect.ports.conversations import ConversationsOf
from chatconnect.ports.models import Prompt, PromptMessage
from chatconnect.ports.tenants import TenantsOf
from chatconnect.services.condensing import Condenser
from chatconnect.services.memory import MemoryService
from chatconnect.services.retrieval import RetrievalService
from chatconnect.services.side_calls import OnUsage


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
        on_usage: OnUsage,
        controls: tuple[str, ...] = (),
    ) -> Composition:
        """Return the turn's prompt; `on_usage` hears of model calls that this takes. Raises what retrieval raises."""
        config, tenant_id = assistant.config, turn.conversation.tenant_id
        (query, passages), summary = await asyncio.gather(
            self._found(tenant_id, turn.question.text, history, config, on_usage),
            self._memory.summary(tenant_id, history, config),
        )
        system = instructions(config, company=company, passages=passages, controls=controls)
        told = (system, turn.question.text, summary.text if summary else "")
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
        return Composition(prompt, passages, context)

    async def _found(
        self,
        tenant_id: TenantId,
        question: str,
        history: Sequence[Message],
        config: AssistantConfig,
        on_usage: OnUsage,
    ) -> tuple[str, list[Passage]]:
        query = await self._condenser.query(question, history, config, on_usage)
        return query, await self._retrieval.search(tenant_id, query, config.retrieval)


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
            conversations.find_summary(conversation.id, [context.summary] if context.summary else []),
            self._tenants_of(tenant_id).assistant(conversation.assistant_id, answer.assistant_version),
        )
        if len(messages) != len(wanted) or (context.summary and summary is None):
            raise NotFound("prompt", message_id)
        *history, question = messages
        passages = [Passage(chunk, 0.0) for chunk in context.passages]
        return prompt_of(assistant.config, context, history, question.text, summary, passages), context


def prompt_of(
    config: AssistantConfig,
    context: PromptContext,
    history: Sequence[Message],
    question: str,
    summary: Summary | None,
    passages: Sequence[Passage],
) -> Prompt:
    """Return the prompt: instructions and data, then the dialogue, the question last. Nothing else goes into it."""
    system = instructions(
        config,
        company=context.company,
        passages=passages,
        controls=context.controls,
        summary=summary.text if summary else None,
    )
    dialogue = [
        PromptMessage("user", message.text)
        if message.role is Role.USER
        else PromptMessage("assistant", without_markers(message.text))
        for message in history
    ]
    return Prompt(
        system=system,
        messages=(*dialogue, PromptMessage("user", question)),
        passages=tuple(passages),
        refusal=config.refusal,
    )
