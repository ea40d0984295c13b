"""The reference: the least that anybody would write to pass a provider's stream on, in FastAPI and httpx."""

import os
from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

APP = "bench.bare_proxy:app"

app = FastAPI()
client = httpx.AsyncClient(
    base_url=os.environ.get("PROVIDER_URL", ""), timeout=30, limits=httpx.Limits(max_connections=200)
)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1/chat/completions")
async def proxy(request: Request) -> StreamingResponse:
    content = await request.body()

    async def answer() -> AsyncIterator[bytes]:
        async with client.stream("POST", "/chat/completions", content=content) as response:
            async for piece in response.aiter_bytes():
                yield piece

    return StreamingResponse(answer(), media_type="text/event-stream")
