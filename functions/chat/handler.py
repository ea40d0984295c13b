"""POST /v1/chat and /v1/chat/stream: one message in, one grounded answer out; and coming back to an answer."""

import time
from dataclasses import replace
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from mangum import Mangum
from pydantic import Field

from chatconnect.domain.controls import STREAM
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import ConversationId, MessageId
from chatconnect.http.answers import Answer, collected
from chatconnect.http.application import create_app
from chatconnect.http.authentication import CurrentAsker
from chatconnect.http.controls import InstructionsBody
from chatconnect.http.errors import responses
from chatconnect.http.frames import STREAM_RESPONSE, EventStream
from chatconnect.http.limits import limit_headers, with_limits
from chatconnect.http.snapshots import add_snapshot_hooks
from chatconnect.observability import trace_id
from chatconnect.services.chat import ChatService
from chatconnect.services.placement import Question
from chatconnect.settings import settings
from functions.chat.wiring import ChatServices

MAX_EVENT_ID = 2**31  # far more events than an answer has; Redis refuses numbers of more than 64 bits

services = ChatServices(settings())
app = create_app("ChatConnect chat", environment=settings().environment, on_shutdown=services.aclose)
app.state.services = services
if settings().aws_lwa_snapstart_before_checkpoint_path:
    add_snapshot_hooks(app, services.make_ready)


class ChatRequest(InstructionsBody):
    """A message; without a conversation it opens one. Or the wish for a further answer to a question.

    `instructions`, `response_format`, `endpoint` and `assistant_version` are refused to visitors (403
    `secret_key_required`); the first two are given to a conversation when it is opened and hold for all of it.
    """

    message: str = Field(
        default="", description="1 to 2,000 characters; none with `regenerate`", examples=["How long is the warranty?"]
    )
    conversation_id: UUID | None = None
    parent_id: UUID | None = Field(
        default=None,
        description="The message to continue from. To edit a question, send the edited text with the old question's "
        "parent; null, written out beside a conversation, is the parent of its first question. Left out: the newest "
        "message.",
    )
    metadata: dict[str, str] = Field(default_factory=dict)
    regenerate: UUID | None = Field(
        default=None, description="An answer, beside which another is made, or a question; goes with nothing else"
    )
    endpoint: str | None = Field(
        default=None,
        description="One of the tenant's endpoints, whose control messages and response format hold for this answer in "
        "place of those of `chat` or `stream`; see /v1/tenants/{tenant_id}/control-messages",
        examples=["faq-json"],
    )
    assistant_version: Literal["draft"] | None = Field(
        default=None,
        description="`draft`: answer by the assistant's newest version, published or not, to try it out",
    )


async def question(
    body: ChatRequest,
    idempotency_key: Annotated[str | None, Header()] = None,
    user_agent: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Question:
    """Return the request as the question it is. Raises Invalid when it is none."""
    if body.regenerate is None and "message" not in body.model_fields_set:
        raise Invalid("a message is needed", details={"field": "message"})
    return Question(
        text=body.message,
        trace_id=trace_id.get(),
        conversation_id=ConversationId(body.conversation_id) if body.conversation_id else None,
        parent_id=MessageId(body.parent_id) if body.parent_id else None,
        metadata=body.metadata,
        idempotency_key=idempotency_key,
        arrived=time.perf_counter(),
        at_root=body.conversation_id is not None and "parent_id" in body.model_fields_set and body.parent_id is None,
        regenerate=MessageId(body.regenerate) if body.regenerate else None,
        endpoint=body.endpoint,
        controls=body.to_controls(),
        agent=user_agent,
        draft=body.assistant_version is not None,
    )


async def chat_service(request: Request) -> ChatService:
    """Return the chat service."""
    made: ChatServices = request.app.state.services
    return await made.chat()


Asked = Annotated[Question, Depends(question)]
Chat = Annotated[ChatService, Depends(chat_service)]


@app.get("/health", tags=["health"])
async def health() -> dict[str, str]:
    """Say that the process is alive."""
    return {"status": "ok"}


@app.post("/v1/chat", tags=["chat"], responses=with_limits(responses(401, 403, 404, 409, 429)))
async def answer(asker: CurrentAsker, asked: Asked, chat: Chat, response: Response) -> Answer:
    """Answer a message in one piece.

    The same Idempotency-Key gives the same answer again, in the making or made; it stands for one message in one
    conversation (409 `key_reused`).

    The answer's headers tell what may still be asked; one question too many gets 429 `rate_limited`, or the code of the
    limit that is reached (`messages_per_day_reached`, say), with Retry-After.

    A visitor whom the tenant has blocked gets 403 `visitor_blocked`; one who repeats themselves, writes as only
    programs do, or tries what they can get out of the assistant, gets 429 `slow_down` for a while.
    """
    return await collected(await chat.ask(asker, asked, lambda left: response.headers.update(limit_headers(left))))


@app.post("/v1/chat/stream", tags=["chat"], status_code=200, response_class=Response,
          responses=with_limits(responses(401, 403, 404, 409, 429) | STREAM_RESPONSE))  # fmt: skip
async def stream(asker: CurrentAsker, asked: Asked, chat: Chat) -> EventStream:
    """Answer a message as Server-Sent Events, which end in exactly one `done` or `error`.

    What is refused before the stream begins is refused as by /v1/chat, with the same headers.
    """
    headers: dict[str, str] = {}
    frames = await chat.ask(asker, replace(asked, route=STREAM), lambda left: headers.update(limit_headers(left)))
    return EventStream(frames, headers=headers)


@app.get("/v1/chat/stream/{message_id}", tags=["chat"], status_code=200, response_class=Response,
         responses=responses(401, 403, 404, 429) | STREAM_RESPONSE)  # fmt: skip
async def resume(
    message_id: UUID, asker: CurrentAsker, chat: Chat, last_event_id: Annotated[int, Header(ge=0, le=MAX_EVENT_ID)] = 0
) -> EventStream:
    """Return the events of an answer after Last-Event-ID, then those that still come.

    The last event comes in any case: whoever has it already is told again how the answer ended.
    """
    return EventStream(await chat.resume(asker, MessageId(message_id), last_event_id), after=last_event_id)


@app.post("/v1/chat/{message_id}/cancel", tags=["chat"], status_code=202, responses=responses(401, 403, 404, 429))
async def cancel(message_id: UUID, asker: CurrentAsker, chat: Chat) -> dict[str, str]:
    """Stop generating an answer; what there is of it is kept."""
    await chat.cancel(asker, MessageId(message_id))
    return {"status": "cancelling"}


handler = Mangum(app, lifespan="off")
