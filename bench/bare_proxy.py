"""The reference: the least that anybody would write to pass a provider's stream on, in FastAPI and httpx."""

import os
import sys
from collections.abc import AsyncIterator, Sequence

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from local.services.process import HOST, Service, http_ok

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


class BareProxy(Service):
    """The reference as a child process, under the same server as ours."""

    name, variable = "bare-proxy", "BARE_PROXY_PORT"
    provider_url = ""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def command(self) -> Sequence[str]:
        return [
            *(sys.executable, "-m", "uvicorn", "bench.bare_proxy:app", "--host", HOST, "--port", str(self.port)),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log"),
        ]

    def environment(self) -> dict[str, str]:
        return {"PROVIDER_URL": self.provider_url}

    async def is_ready(self) -> bool:
        return await http_ok(self.port, "/health")
