"""Conversations and their messages as bodies."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from chatconnect.domain.context import PromptContext, ToolRound
from chatconnect.domain.conversation import Conversation, Feedback, Message, Sibling
from chatconnect.http.answers import CitationBody, UsageBody
from chatconnect.ports.conversations import Path
from chatconnect.ports.models import Prompt
from functions.config.routes.tool_bodies import OfferedToolBody, ToolRoundBody, ToolUseBody


class ConversationBody(BaseModel):
    """A conversation without its messages."""

    id: UUID
    assistant_id: UUID
    visitor_id: UUID | None = Field(description="Null: held by a tenant's own server")
    state: str
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime
    forked_from: UUID | None = Field(description="The message, of another conversation, that this is a fork of")

    @classmethod
    def of(cls, conversation: Conversation) -> "ConversationBody":
        """Return the body that shows a conversation."""
        return cls(
            id=conversation.id,
            assistant_id=conversation.assistant_id,
            visitor_id=conversation.visitor_id,
            state=conversation.state.value,
            metadata=dict(conversation.metadata),
            created_at=conversation.created_at,
            updated_at=conversation.updated_at,
            forked_from=conversation.forked_from,
        )


class SiblingBody(BaseModel):
    """A message that stands beside others; `status` is pending, complete, partial or failed."""

    id: UUID
    status: str


class MessageBody(BaseModel):
    """A message. An answer has a model, usage and citations; `status` is pending, complete, partial or failed."""

    id: UUID
    parent_id: UUID | None
    role: str
    text: str
    status: str
    created_at: datetime
    completed_at: datetime | None
    model: str | None
    citations: list[CitationBody]
    usage: UsageBody
    finish_reason: str | None
    error_code: str | None
    trace_id: str | None
    timings: dict[str, float] | None = Field(
        description="On answers: the milliseconds that each step took, in the order in which they were over. Only the "
        "company's own side is told"
    )
    tools: list[ToolUseBody] | None = Field(
        description="On answers: what the model called, in order. Only the company's own side is told"
    )
    siblings: list[SiblingBody] = Field(
        description="The messages that follow the same message, this one among them, oldest first; empty when it is "
        "the only one. Made by edits and further answers; told when a conversation is read"
    )

    @classmethod
    def of(
        cls,
        message: Message,
        siblings: Sequence[Sibling] = (),
        rounds: Sequence[ToolRound] = (),
        *,
        inside: bool = False,
    ) -> "MessageBody":
        """Return the body that shows a message; with timings and tools for the company's own side (`inside`)."""
        return cls(
            id=message.id,
            parent_id=message.parent_id,
            role=message.role.value,
            text=message.text,
            status=message.status.value,
            created_at=message.created_at,
            completed_at=message.completed_at,
            model=message.model,
            citations=[CitationBody.model_validate(each, from_attributes=True) for each in message.citations],
            usage=UsageBody.model_validate(message.usage, from_attributes=True),
            finish_reason=message.finish_reason,
            error_code=message.error_code,
            trace_id=message.trace_id,
            timings=dict(message.timings) if inside else None,
            tools=[use for number, each in enumerate(rounds, 1) for use in ToolUseBody.all_of(number, each)]
            if inside
            else None,
            siblings=[SiblingBody(id=each.id, status=each.status.value) for each in siblings],
        )


class ConversationList(BaseModel):
    """Conversations by their last change, newest first."""

    conversations: list[ConversationBody]
    next_cursor: str | None = Field(description="Asks for the following page; null: no more")


class ThreadBody(ConversationBody):
    """A conversation with one branch, oldest message first."""

    messages: list[MessageBody]

    @classmethod
    def of_path(cls, path: Path, *, inside: bool = False) -> "ThreadBody":
        """Return the body that shows a branch; with timings and tools for the company's own side (`inside`)."""
        head = ConversationBody.of(path.conversation)
        messages = [
            MessageBody.of(
                message, path.siblings.get(message.parent_id, ()), path.rounds.get(message.id, ()), inside=inside
            )
            for message in path.messages
        ]
        return cls(**head.model_dump(), messages=messages)


class BranchBody(BaseModel):
    """One way through a conversation: its last message, how long it is, and the beginning of its last question."""

    leaf_id: UUID
    preview: str
    messages: int
    changed_at: datetime


class BranchList(BaseModel):
    """A conversation's branches by their last change, newest first; at most 100."""

    branches: list[BranchBody]


class ForkBody(BaseModel):
    """The last message to take along."""

    message_id: UUID


class PromptMessageBody(BaseModel):
    """One message as the model got it; `role` is system, user or assistant."""

    role: str
    content: str


class PromptBody(BaseModel):
    """A prompt; with a summary in it, `summarised_until` is the last message that it covers.

    `tools` are those that could be called; of very long ones only the names are kept.
    """

    messages: list[PromptMessageBody]
    query: str
    summarised_until: UUID | None
    rounds: list[ToolRoundBody]
    tools: list[OfferedToolBody]

    @classmethod
    def of(cls, prompt: Prompt, context: PromptContext) -> "PromptBody":
        """Return the body that shows a prompt and what it was made of."""
        dialogue = [PromptMessageBody(role=message.role, content=message.text) for message in prompt.messages]
        return cls(
            messages=[PromptMessageBody(role="system", content=prompt.system), *dialogue],
            query=context.query,
            summarised_until=context.summary,
            rounds=[
                ToolRoundBody(said=each.said, uses=ToolUseBody.all_of(number, each))
                for number, each in enumerate(context.rounds, start=1)
            ],
            tools=[
                OfferedToolBody(name=tool.name, description=tool.description, parameters=dict(tool.parameters))
                for tool in context.tools
            ],
        )


class FeedbackBody(BaseModel):
    """Up or down, and why."""

    rating: str
    reason: str | None = Field(default=None, max_length=100)
    text: str | None = Field(default=None, max_length=2_000)

    def to_feedback(self) -> Feedback:
        """Return the value. Raises Invalid."""
        return Feedback(self.rating, self.reason, self.text)
