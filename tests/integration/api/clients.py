"""Who calls the public API: visitors' browsers, companies' servers and their staff."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

WEBSITE = "http://localhost:3000"
PASSWORD = "correct horse battery"
ENDS = ("done", "error")


@dataclass(frozen=True)
class Event:
    id: int
    name: str
    data: dict[str, Any]


class Refused(Exception):
    """An error came in place of a stream."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.text)
        self.response = response


class Caller:
    """Sends requests with its own headers; the connections are everybody's."""

    def __init__(self, http: httpx.AsyncClient, credential: str, origin: str | None = None) -> None:
        self.http, self.credential = http, credential
        self.headers = {"Authorization": f"Bearer {credential}"} | ({"Origin": origin} if origin else {})

    async def request(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **body: Any
    ) -> httpx.Response:
        return await self.http.request(method, path, headers=self.headers | (headers or {}), **body)

    async def get(self, path: str, **parameters: Any) -> httpx.Response:
        return await self.request("GET", path, params=parameters)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        return await self.request("POST", path, json=body, headers=_named(headers))

    async def put(self, path: str, body: Any) -> httpx.Response:
        return await self.request("PUT", path, json=body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.request("DELETE", path)

    async def ask(self, message: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = granted(await self.post("/v1/chat", {"message": message, **more}))
        return answer

    async def stream(self, message: str, **more: Any) -> list[Event]:
        async with self.streaming(message, **more) as events:
            return [event async for event in events]

    @asynccontextmanager
    async def streaming(
        self, message: str, *, key: str | None = None, **more: Any
    ) -> AsyncIterator[AsyncIterator[Event]]:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        body = {"message": message, **more}
        async with self.http.stream("POST", "/v1/chat/stream", headers=headers, json=body) as response:
            yield await events_of(response)

    async def resume(self, message_id: str, after: int) -> list[Event]:
        headers = self.headers | {"Last-Event-ID": str(after)}
        async with self.http.stream("GET", f"/v1/chat/stream/{message_id}", headers=headers) as response:
            return [event async for event in await events_of(response)]

    async def conversation(self, conversation_id: str) -> dict[str, Any]:
        thread: dict[str, Any] = granted(await self.get(f"/v1/conversations/{conversation_id}"))
        return thread


@dataclass(frozen=True)
class Company:
    """A tenant of its own with its keys; `staff` is its owner, `server` holds its secret key."""

    http: httpx.AsyncClient
    tenant_id: str
    assistant_id: str
    widget_id: str
    widget_key: str
    secret_key: str = field(repr=False)
    access_token: str = field(repr=False)
    email: str

    @classmethod
    async def opened(cls, http: httpx.AsyncClient, name: str = "Globex") -> Self:
        email = f"owner-{secrets.token_hex(6)}@example.com"
        answer = await http.post("/v1/auth/register", json={"company": name, "email": email, "password": PASSWORD})
        body = granted(answer)
        names = ("tenant_id", "assistant_id", "widget_id", "widget_key", "secret_key", "access_token")
        return cls(http, **{name: body[name] for name in names}, email=email)

    @property
    def server(self) -> Caller:
        return Caller(self.http, self.secret_key)

    @property
    def staff(self) -> Caller:
        return Caller(self.http, self.access_token)

    async def visitor(self, origin: str = WEBSITE) -> Caller:
        answer = await self.http.post(f"/v1/widgets/{self.widget_key}/token", headers={"Origin": origin})
        return Caller(self.http, granted(answer)["token"], origin)

    async def uses(self, provider: str, base_url: str | None = None, **settings: Any) -> dict[str, Any]:
        """Publish another model, and whatever else of the configuration, for the assistant.

        A scripted model is asked once per question: queries are written in full only where a test says so.
        """
        path = f"/v1/assistants/{self.assistant_id}"
        stored = granted(await self.staff.get(path))
        wanted = (
            stored | {"provider": provider, "model": "gpt-4o-mini", "base_url": base_url, "condense": "off"} | settings
        )
        published: dict[str, Any] = granted(await self.staff.put(path, wanted))
        return published

    async def promise(self, filename: str, size: int, **more: Any) -> httpx.Response:
        return await self.server.post("/v1/documents", {"filename": filename, "content_type": "", "size": size, **more})

    async def upload(self, filename: str, content: bytes, **more: Any) -> str:
        """Send a file as the dashboard does; return its document's id, when processing has only begun."""
        promised = granted(await self.promise(filename, len(content), **more))
        assert (sent := await sent_to_s3(promised["upload"], filename, content)).is_success, sent.text
        document_id: str = promised["document"]["id"]
        return document_id

    async def until_processed(self, document_id: str, *, version: int = 1, seconds: float = 60) -> dict[str, Any]:
        async with asyncio.timeout(seconds):
            while True:
                document: dict[str, Any] = granted(await self.server.get(f"/v1/documents/{document_id}"))
                if document["version"] >= version and document["status"] in ("ready", "failed"):
                    return document
                await asyncio.sleep(0.1)

    async def ingested(self, filename: str, content: bytes, **more: Any) -> dict[str, Any]:
        """Upload a file and wait until it is ready."""
        document = await self.until_processed(await self.upload(filename, content, **more))
        assert document["status"] == "ready", document
        return document

    async def found(self, query: str, **more: Any) -> list[dict[str, Any]]:
        answer = granted(await self.server.post("/v1/knowledge/search", {"query": query, **more}))
        results: list[dict[str, Any]] = answer["results"]
        return results


async def sent_to_s3(form: dict[str, Any], filename: str, content: bytes) -> httpx.Response:
    async with httpx.AsyncClient(timeout=60, trust_env=False) as s3:
        return await s3.post(form["url"], data=form["fields"], files={"file": (filename, content)})


async def logged_in(http: httpx.AsyncClient, email: str, **more: Any) -> dict[str, Any]:
    """Log in with the password that owners have here."""
    body = {"email": email, "password": PASSWORD, **more}
    session: dict[str, Any] = granted(await http.post("/v1/auth/login", json=body))
    return session


async def refreshed(http: httpx.AsyncClient, token: str) -> httpx.Response:
    """Exchange a refresh token."""
    return await http.post("/v1/auth/refresh", json={"refresh_token": token})


def granted(response: httpx.Response) -> Any:
    """Return what a good answer holds."""
    assert response.is_success, (response.request.method, response.request.url.path, response.text)
    return response.json()


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is an error as all errors are, and return it."""
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    assert set(response.json()) == {"error"}
    assert set(error) == {"code", "message", "details", "trace_id"}
    assert error["code"] == code
    assert error["message"]
    assert len(error["trace_id"]) >= 10
    assert response.headers["x-trace-id"] == error["trace_id"]
    if status in (429, 503):
        assert int(response.headers["retry-after"]) >= 1
    return error


def ended_once(events: list[Event]) -> Event:
    """Check that a whole stream is as promised, and return its end."""
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert events[0].name == "start"
    assert [event.name for event in events if event.name in ("start", *ENDS)] == ["start", events[-1].name]
    assert events[-1].name in ENDS
    return events[-1]


def text_of(events: list[Event]) -> str:
    return "".join(event.data["text"] for event in events if event.name == "token")


async def events_of(response: httpx.Response) -> AsyncIterator[Event]:
    """Return the events of a stream as they come. Raises Refused."""
    if response.is_error:
        await response.aread()
        raise Refused(response)
    assert response.headers["content-type"].startswith("text/event-stream")
    return _events_of(response)


async def _events_of(response: httpx.Response) -> AsyncIterator[Event]:
    rest = b""
    async for piece in response.aiter_raw():
        *frames, rest = (rest + piece).split(b"\n\n")
        for frame in frames:
            if frame.startswith(b":"):
                continue
            fields = dict(line.split(": ", 1) for line in frame.decode().split("\n"))
            assert set(fields) == {"id", "event", "data"}
            yield Event(int(fields["id"]), fields["event"], json.loads(fields["data"]))
    assert rest == b""


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
