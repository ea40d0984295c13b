"""A server that plays the visitor's interface from a script, with faults on demand.

It serves the built widget and pages that embed it, so that the browser tests can break the line,
refuse, or send hostile text at an exact moment, which no real server does when asked.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.browser.script import Drop, Event, Hold, Refuse, Step

WIDGET = Path(__file__).resolve().parents[2] / "web" / "dist" / "widget.js"
KEY = "pk_live_scripted"
STRICT_POLICY = (
    "default-src 'none'; script-src {origin}; connect-src {origin}; style-src 'none'; "
    "require-trusted-types-for 'script'"
)


@dataclass
class ScriptedApi:
    """The server's state; tests set `config`, `scripts` and `page`, and read what was asked."""

    config: dict[str, Any] = field(default_factory=dict)
    scripts: list[list[Step]] = field(default_factory=list)
    page: str = "<h1>A page</h1>"
    policy: str = STRICT_POLICY
    questions: list[dict[str, Any]] = field(default_factory=list)
    resumed_after: list[int] = field(default_factory=list)
    feedback: list[dict[str, Any]] = field(default_factory=list)
    leads: list[dict[str, Any]] = field(default_factory=list)
    lead_refusals: int = 0
    locales: list[str | None] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    tokens_given: int = 0
    reads: int = 0
    valid_tokens: set[str] = field(default_factory=set)
    origin: str = ""
    _journals: dict[str, list[tuple[int, Event]]] = field(default_factory=dict)
    _rests: dict[str, list[Step]] = field(default_factory=dict)
    _asked: dict[str, str] = field(default_factory=dict)
    _messages: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def page_url(self) -> str:
        return f"{self.origin}/page"

    def app(self) -> Starlette:
        """The interface of api.md as far as a widget uses it, and two pages that embed the widget."""
        routes = [
            ("/widget.js", self._widget, "GET"),
            ("/page", self._page, "GET"),
            (f"/v1/widgets/{KEY}/config", self._config, "GET"),
            (f"/v1/widgets/{KEY}/token", self._token, "POST"),
            ("/v1/chat/stream", self._ask, "POST"),
            ("/v1/chat/stream/{id}", self._resume, "GET"),
            ("/v1/chat/{id}/cancel", self._cancel, "POST"),
            ("/v1/conversations/{id}", self._conversation, "GET"),
            ("/v1/messages/{id}/feedback", self._feedback, "POST"),
            ("/v1/leads", self._lead, "POST"),
        ]
        cors = Middleware(
            CORSMiddleware,
            allow_origins=["*"],
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["Retry-After"],
        )
        return Starlette(
            routes=[Route(path, _authorized(self, path, handle), methods=[verb]) for path, handle, verb in routes],
            middleware=[cors],
        )

    def expire_tokens(self) -> None:
        """Refuse every token given so far."""
        self.valid_tokens.clear()

    async def _widget(self, _: Request) -> Response:
        return FileResponse(WIDGET, media_type="text/javascript")

    async def _page(self, _: Request) -> Response:
        script = f'<script src="{self.origin}/widget.js" data-key="{KEY}" async></script>'
        head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Page</title>'
        html = f'<!doctype html><html lang="en"><head>{head}{script}</head><body>{self.page}</body></html>'
        policy = {"Content-Security-Policy": self.policy.format(origin=self.origin)} if self.policy else {}
        return HTMLResponse(html, headers=policy)

    async def _config(self, request: Request) -> Response:
        self.locales.append(request.query_params.get("locale"))
        return JSONResponse({"widget_id": "w1", "assistant_name": "Nora", **self.config})

    async def _token(self, _: Request) -> Response:
        self.tokens_given += 1
        token = f"token-{self.tokens_given}"
        self.valid_tokens.add(token)
        return JSONResponse({"token": token, "expires_in": 900, "visitor_id": "v1"})

    async def _ask(self, request: Request) -> Response:
        question, key = await request.json(), request.headers["Idempotency-Key"]
        if key in self._asked:
            return self._stream(self._asked[key], after=0)
        self.questions.append({**question, "idempotency_key": key})
        script = self.scripts.pop(0)
        if script and isinstance(script[0], Refuse):
            return _refusal(script[0])
        message_id = self._asked[key] = f"m{len(self.questions)}"
        repeated = self._messages.get(question.get("regenerate", ""))
        question_id = repeated["parent_id"] if repeated else f"u{message_id}"
        ids = {"conversation_id": "c1", "message_id": message_id, "user_message_id": question_id, "trace_id": "t"}
        if "message" in question:
            parent_id = question.get("parent_id", next(reversed(self._messages), None))
            self._keep(question_id, parent_id, role="user", text=question["message"], status="complete")
        self._keep(message_id, question_id, role="assistant", text="", status="pending")
        self._journals[message_id] = []
        self._rests[message_id] = [("start", ids), *script]
        return self._stream(message_id, after=0)

    async def _resume(self, request: Request) -> Response:
        message_id, after = request.path_params["id"], int(request.headers["Last-Event-ID"])
        self.resumed_after.append(after)
        if message_id not in self._journals:
            return _refusal(Refuse(404, "not_found", "There is no such stream."))
        rest = self._rests[message_id]
        if rest and isinstance(rest[0], Refuse):
            refusal = rest[0]
            del rest[0]
            return _refusal(refusal)
        return self._stream(message_id, after)

    async def _cancel(self, request: Request) -> Response:
        message_id = request.path_params["id"]
        self.cancelled.append(message_id)
        for step in self._rests[message_id]:
            if isinstance(step, Hold):
                step.end()
        self._rests[message_id][:] = [("done", {"finish_reason": "cancelled", "usage": {}})]
        return Response(status_code=204)

    async def _conversation(self, request: Request) -> Response:
        self.reads += 1
        through = request.query_params.get("through", next(iter(self._messages), None))
        if request.path_params["id"] != "c1" or through not in self._messages:
            return _refusal(Refuse(404, "not_found", "There is no such conversation."))
        if "through" in request.query_params:
            newest = next(id_ for id_ in reversed(self._messages) if through in self._path(id_))
        else:
            newest = next(reversed(self._messages))
        messages = [
            {**self._messages[id_], "siblings": self._siblings(self._messages[id_]["parent_id"])}
            for id_ in self._path(newest)
        ]
        return JSONResponse({"id": "c1", "messages": messages})

    def _keep(self, message_id: str, parent_id: str | None, **message: Any) -> None:
        empty: dict[str, Any] = {"citations": [], "error_code": None, "finish_reason": None}
        self._messages[message_id] = {"id": message_id, "parent_id": parent_id, **empty, **message}

    def _path(self, leaf: str) -> list[str]:
        """The ids from the root to a message."""
        parent_id = self._messages[leaf]["parent_id"]
        return [*(self._path(parent_id) if parent_id else []), leaf]

    def _siblings(self, parent_id: str | None) -> list[dict[str, str]]:
        beside = [message for message in self._messages.values() if message["parent_id"] == parent_id]
        return [{"id": each["id"], "status": each["status"]} for each in beside] if len(beside) > 1 else []

    async def _lead(self, request: Request) -> Response:
        if self.lead_refusals:
            self.lead_refusals -= 1
            return JSONResponse({"error": {"code": "invalid_request", "message": "no"}}, 400)
        self.leads.append(await request.json())
        return Response(status_code=204)

    async def _feedback(self, request: Request) -> Response:
        self.feedback.append({"id": request.path_params["id"], **(await request.json())})
        return Response(status_code=204)

    def _stream(self, message_id: str, after: int) -> Response:
        return StreamingResponse(self._play(message_id, after), media_type="text/event-stream")

    async def _play(self, message_id: str, after: int) -> AsyncIterator[bytes]:
        """Replay what the journal holds after that id, then go on with the script."""
        journal, rest = self._journals[message_id], self._rests[message_id]
        yield b": hello\n\n"
        for number, event in journal[after:]:
            yield _frame(number, event)
        while rest:
            step = rest[0]
            if isinstance(step, Hold):
                await step.wait()
                if rest[:1] == [step]:
                    del rest[0]
                continue
            if isinstance(step, Refuse):
                return
            del rest[0]
            if isinstance(step, Drop):
                yield b'id: 999\nevent: token\ndata: {"text": "never comp'
                raise ConnectionAbortedError
            journal.append((len(journal) + 1, step))
            self._record(message_id, step)
            yield _frame(len(journal), step)

    def _record(self, message_id: str, event: Event) -> None:
        message = self._messages[message_id]
        name, data = event
        if name == "token":
            message["text"] += data["text"]
        if name == "citation":
            message["citations"].append(data)
        if name == "done":
            message["finish_reason"] = data["finish_reason"]
            message["status"] = "partial" if data["finish_reason"] == "cancelled" else "complete"
        if name == "error":
            message["error_code"] = data["code"]
            message["status"] = "partial" if message["text"] else "failed"


Handler = Callable[[Request], Awaitable[Response]]


def _authorized(api: ScriptedApi, path: str, handle: Handler) -> Handler:
    if "/chat/" not in path and "/conversations/" not in path and "/messages/" not in path:
        return handle

    async def checked(request: Request) -> Response:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") in api.valid_tokens:
            return await handle(request)
        return _refusal(Refuse(401, "token_expired", "The chat token has expired."))

    return checked


def _refusal(refusal: Refuse) -> Response:
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    error = {"code": refusal.code, "message": refusal.message, "details": {}, "trace_id": "t"}
    return JSONResponse({"error": error}, refusal.status, headers=headers)


def _frame(number: int, event: Event) -> bytes:
    name, data = event
    return f"id: {number}\nevent: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


@asynccontextmanager
async def serving(api: ScriptedApi) -> AsyncIterator[ScriptedApi]:
    """Serve it on a free port of this machine; `origin` holds the address."""
    config = uvicorn.Config(api.app(), port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    config.load()
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    api.origin = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield api
    finally:
        server.should_exit = True
        await task
