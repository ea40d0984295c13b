"""The same turn as the product's, as one would write it first: each step by its SDK's own call, one after the other.

FastAPI, AsyncOpenAI with its parsed stream, AsyncQdrantClient, psycopg, redis-py, PyJWT. A question is authenticated,
held against its visitor's rate, and stored; its passages are found; the answer is streamed, journalled token by token
for those who reconnect, and recorded with the running totals. It asks the same provider, Qdrant, Redis and Postgres
server as the product, whose visitors' tokens and points it uses, and keeps its own tables in a database of its own.
"""

import json
import os
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import jwt
from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel, Field
from qdrant_client import AsyncQdrantClient, models
from redis.asyncio import Redis

APP = "bench.reference_turn:app"
SCHEMA = """
CREATE TABLE assistants (id uuid PRIMARY KEY, config jsonb NOT NULL);
CREATE TABLE conversations (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL, visitor_id uuid NOT NULL, assistant_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE messages (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL, conversation_id uuid NOT NULL REFERENCES conversations (id),
    parent_id uuid, role text NOT NULL, status text NOT NULL, text text NOT NULL, context jsonb,
    input_tokens integer NOT NULL DEFAULT 0, output_tokens integer NOT NULL DEFAULT 0, total_ms integer,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON messages (tenant_id, conversation_id, created_at);
CREATE TABLE usage_totals (
    tenant_id uuid NOT NULL, subject text NOT NULL, subject_id uuid NOT NULL, day date NOT NULL,
    answers bigint NOT NULL, input_tokens bigint NOT NULL, output_tokens bigint NOT NULL,
    PRIMARY KEY (tenant_id, subject, subject_id, day)
);
"""
_HISTORY, _PASSAGES, _CANDIDATES, _THRESHOLD = 20, 5, 40, 0.25
_JOURNAL_SECONDS = 600

Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


class Question(BaseModel):
    """A message; without a conversation it opens one."""

    message: str = Field(min_length=1, max_length=2000)
    conversation_id: uuid.UUID | None = None


class Clients:
    """Every SDK's client, made once per process."""

    def __init__(self) -> None:
        self.openai = AsyncOpenAI(base_url=os.environ["OPENAI_BASE_URL"], api_key=os.environ["OPENAI_API_KEY"])
        self.qdrant = AsyncQdrantClient(
            url=os.environ["QDRANT_URL"], cloud_inference=True, check_compatibility=False, timeout=30
        )
        self.redis = Redis.from_url(os.environ["REDIS_URL"], max_connections=2_000)
        self.pool: Pool = AsyncConnectionPool(
            os.environ["DATABASE_URL"],
            open=False,
            max_size=10,
            timeout=120,
            kwargs={"row_factory": dict_row, "autocommit": True},
            connection_class=AsyncConnection[DictRow],
        )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.clients = clients = Clients()
    await clients.pool.open()
    yield
    await clients.pool.close()
    await clients.redis.aclose()
    await clients.qdrant.close()
    await clients.openai.close()


app = FastAPI(lifespan=_lifespan)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1/chat/stream")
async def stream(question: Question, authorization: Annotated[str, Header()]) -> StreamingResponse:
    clients: Clients = app.state.clients
    claims = jwt.decode(
        authorization.removeprefix("Bearer "), os.environ["CHAT_TOKEN_SECRET"], algorithms=["HS256"], audience="chat"
    )
    await _within_rate(clients.redis, claims)
    config = await _configuration(clients.pool, claims["assistant"])
    return StreamingResponse(_turn(clients, claims, config, question), media_type="text/event-stream")


async def _within_rate(redis: Redis, claims: dict[str, str]) -> None:
    key = f"rate:{claims['tenant']}:{claims['visitor']}:{int(time.time() // 60)}"
    async with redis.pipeline() as pipeline:
        pipeline.incr(key)
        pipeline.expire(key, 120)
        count, _ = await pipeline.execute()
    if count > int(claims["rate"]):
        raise HTTPException(429, "too many messages in this minute")


async def _configuration(pool: Pool, assistant_id: str) -> dict[str, Any]:
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT config FROM assistants WHERE id = %s", [assistant_id])
        row = await cursor.fetchone()
    if row is None:
        raise HTTPException(404, "no such assistant")
    config: dict[str, Any] = row["config"]
    return config


async def _turn(
    clients: Clients, claims: dict[str, str], config: dict[str, Any], question: Question
) -> AsyncIterator[str]:
    began = time.perf_counter()
    conversation_id, question_id, answer_id = question.conversation_id or uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    journal, number = f"journal:{answer_id}", 0

    async def event(name: str, data: dict[str, Any]) -> str:
        nonlocal number
        number += 1
        text = json.dumps(data)
        await clients.redis.xadd(journal, {"id": number, "event": name, "data": text})
        return f"id: {number}\nevent: {name}\ndata: {text}\n\n"

    yield await event("start", {"conversation_id": str(conversation_id), "message_id": str(answer_id)})
    history = await _begun(clients.pool, claims, question, conversation_id, question_id, answer_id)
    passages = await _passages(clients, claims["tenant"], question.message)
    answer: list[str] = []
    usage = {"input_tokens": 0, "output_tokens": 0}
    chunks = await clients.openai.chat.completions.create(
        model=config["model"],
        messages=_prompt(config, history, passages, question.message),
        temperature=config["temperature"],
        max_tokens=config["max_tokens"],
        stream=True,
        stream_options={"include_usage": True},
    )
    async for chunk in chunks:
        if chunk.usage:
            usage = {"input_tokens": chunk.usage.prompt_tokens, "output_tokens": chunk.usage.completion_tokens}
        if chunk.choices and (text := chunk.choices[0].delta.content):
            answer.append(text)
            yield await event("token", {"text": text})
    usage["total_ms"] = round((time.perf_counter() - began) * 1000)
    await _recorded(clients.pool, claims, conversation_id, answer_id, "".join(answer), passages, usage)
    done = await event("done", {"finish_reason": "stop", "usage": usage})
    await clients.redis.expire(journal, _JOURNAL_SECONDS)
    yield done


async def _begun(
    pool: Pool,
    claims: dict[str, str],
    question: Question,
    conversation_id: uuid.UUID,
    question_id: uuid.UUID,
    answer_id: uuid.UUID,
) -> Sequence[dict[str, Any]]:
    """Return the conversation so far, and store the question with its pending answer."""
    tenant_id = claims["tenant"]
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO conversations (id, tenant_id, visitor_id, assistant_id) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [conversation_id, tenant_id, claims["visitor"], claims["assistant"]],
        )
        cursor = await connection.execute(
            "SELECT role, text FROM messages WHERE tenant_id = %s AND conversation_id = %s"
            " ORDER BY created_at DESC LIMIT %s",
            [tenant_id, conversation_id, _HISTORY],
        )
        history = await cursor.fetchall()
        await connection.execute(
            "INSERT INTO messages (id, tenant_id, conversation_id, parent_id, role, status, text) VALUES"
            " (%s, %s, %s, NULL, 'user', 'complete', %s), (%s, %s, %s, %s, 'assistant', 'pending', '')",
            [
                *(question_id, tenant_id, conversation_id, question.message),
                *(answer_id, tenant_id, conversation_id, question_id),
            ],
        )
    return history[::-1]


async def _passages(clients: Clients, tenant_id: str, text: str) -> list[models.ScoredPoint]:
    embedded = await clients.openai.embeddings.create(
        model=os.environ["EMBEDDING_MODEL"], input=text, dimensions=int(os.environ["EMBEDDING_DIMENSIONS"])
    )
    own = models.Filter(must=[models.FieldCondition(key="tenant_id", match=models.MatchValue(value=tenant_id))])
    found = await clients.qdrant.query_points(
        os.environ["QDRANT_COLLECTION"],
        prefetch=[
            models.Prefetch(
                query=embedded.data[0].embedding,
                using="dense",
                filter=own,
                limit=_CANDIDATES,
                score_threshold=_THRESHOLD,
            ),
            models.Prefetch(
                query=models.Document(text=text, model="qdrant/bm25"), using="sparse", filter=own, limit=_CANDIDATES
            ),
        ],
        query=models.FusionQuery(fusion=models.Fusion.RRF),
        query_filter=own,
        limit=_PASSAGES,
        with_payload=True,
    )
    return found.points


def _prompt(
    config: dict[str, Any], history: Sequence[dict[str, Any]], passages: list[models.ScoredPoint], question: str
) -> Any:
    payloads = [point.payload or {} for point in passages]
    numbered = [
        f'<passage number="{number}" title="{payload["title"]}">\n{payload["text"]}\n</passage>'
        for number, payload in enumerate(payloads, start=1)
    ]
    return [
        {"role": "system", "content": "\n\n".join([config["system_prompt"], *numbered])},
        *({"role": message["role"], "content": message["text"]} for message in history),
        {"role": "user", "content": question},
    ]


async def _recorded(
    pool: Pool,
    claims: dict[str, str],
    conversation_id: uuid.UUID,
    answer_id: uuid.UUID,
    text: str,
    passages: list[models.ScoredPoint],
    usage: dict[str, int],
) -> None:
    context = json.dumps([point.payload for point in passages])
    tenant_id = claims["tenant"]
    subjects = [("conversation", conversation_id), ("tenant", tenant_id), ("visitor", claims["visitor"])]
    async with pool.connection() as connection, connection.transaction():
        await connection.execute(
            "UPDATE messages SET status = 'complete', text = %s, context = %s, input_tokens = %s, output_tokens = %s,"
            " total_ms = %s WHERE tenant_id = %s AND id = %s",
            [text, context, usage["input_tokens"], usage["output_tokens"], usage["total_ms"], tenant_id, answer_id],
        )
        for subject, subject_id in subjects:
            await connection.execute(
                "INSERT INTO usage_totals AS total VALUES (%s, %s, %s, current_date, 1, %s, %s)"
                " ON CONFLICT (tenant_id, subject, subject_id, day) DO UPDATE SET answers = total.answers + 1,"
                " input_tokens = total.input_tokens + excluded.input_tokens,"
                " output_tokens = total.output_tokens + excluded.output_tokens",
                [tenant_id, subject, subject_id, usage["input_tokens"], usage["output_tokens"]],
            )
