"""A reference: a provider's stream passed on with the provider's own client, each chunk parsed, in FastAPI."""

import os
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from openai import AsyncOpenAI

APP = "bench.sdk_relay:app"

app = FastAPI()
client = AsyncOpenAI(base_url=os.environ.get("PROVIDER_URL"), api_key="scripted")


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1/chat/completions")
async def relay(body: dict[str, Any]) -> StreamingResponse:
    async def answer() -> AsyncIterator[str]:
        stream = await client.chat.completions.create(model=body["model"], messages=body["messages"], stream=True)
        async for chunk in stream:
            yield f"data: {chunk.model_dump_json()}\n\n"
        yield "data: [DONE]\n\n"

    return StreamingResponse(answer(), media_type="text/event-stream")
