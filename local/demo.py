"""The demo tenant: opened and filled through the public API, as a customer would."""

import asyncio
import json
import mimetypes
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

SAMPLES = Path(__file__).parent / "samples"
SUGGESTIONS = [
    "Can I return a bicycle that I have already ridden?",
    "What does the Touring 500 cost?",
    "How long is the warranty on the frame?",
]
_ACCENT = "#0b6e4f"
_READY_SECONDS = 120

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo tenant and its credentials."""

    tenant_id: str
    assistant_id: str
    widget_id: str
    widget_key: str
    secret_key: str
    staff_email: str
    staff_password: str


class DemoFailed(Exception):
    """The demo tenant could not be set up; the message says at which step."""


async def make_demo(api_url: str, remembered: Path, say: Say) -> Demo:
    """Return the demo tenant: the remembered one, or a new one with the sample documents. Raises DemoFailed."""
    async with httpx.AsyncClient(base_url=api_url, timeout=30) as http:
        demo = await _remembered(http, remembered) or await _open_tenant(http, remembered)
        headers = {"Authorization": f"Bearer {demo.secret_key}"}
        http.headers.update(headers)
        await _configure_widget(http, demo, api_url)
        await _choose_model(http, demo)
        await _upload_samples(http, say)
    return demo


async def upload(http: httpx.AsyncClient, path: Path) -> str:
    """Upload a file as the dashboard does, and return its document's id; processing has only begun then."""
    body = {
        "filename": path.name,
        "content_type": mimetypes.guess_type(path.name)[0] or "",
        "size": path.stat().st_size,
    }
    promised = _checked(await http.post("/v1/documents", json=body))
    form = promised["upload"]
    async with httpx.AsyncClient(timeout=60) as s3:
        sent = await s3.post(form["url"], data=form["fields"], files={"file": (path.name, path.read_bytes())})
    if sent.is_error:
        raise DemoFailed(f"the upload of {path.name} was refused with {sent.status_code}")
    document_id: str = promised["document"]["id"]
    return document_id


async def until_processed(http: httpx.AsyncClient, document_id: str) -> dict[str, Any]:
    """Wait until a document is ready or failed, and return it. Raises DemoFailed after two minutes."""
    try:
        async with asyncio.timeout(_READY_SECONDS):
            while True:
                document: dict[str, Any] = _checked(await http.get(f"/v1/documents/{document_id}"))
                if document["status"] in ("ready", "failed"):
                    return document
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise DemoFailed(f"document {document_id} was not processed in time") from error


async def _remembered(http: httpx.AsyncClient, path: Path) -> Demo | None:
    if not path.exists():
        return None
    demo = Demo(**json.loads(path.read_text()))
    known = await http.get("/v1/documents", headers={"Authorization": f"Bearer {demo.secret_key}"})
    return demo if known.is_success else None


async def _open_tenant(http: httpx.AsyncClient, remember: Path) -> Demo:
    email, password = f"owner-{secrets.token_hex(3)}@northwind.example", secrets.token_urlsafe(12)
    opened = _checked(
        await http.post(
            "/v1/auth/register", json={"company": "Northwind Bicycles", "email": email, "password": password}
        )
    )
    names = ("tenant_id", "assistant_id", "widget_id", "widget_key", "secret_key")
    demo = Demo(**{name: opened[name] for name in names}, staff_email=email, staff_password=password)
    remember.touch(mode=0o600)
    remember.write_text(json.dumps(asdict(demo)))
    return demo


async def _configure_widget(http: httpx.AsyncClient, demo: Demo, api_url: str) -> None:
    widget = {
        "locale": "en",
        "texts": {"title": "Northwind Bicycles", "greeting": "Hello! Ask me about our bicycles, prices and service."},
        "theme": {"accent": _ACCENT},
        "suggested_questions": SUGGESTIONS,
        "allowed_domains": ["127.0.0.1", "localhost", httpx.URL(api_url).netloc.decode()],
    }
    _checked(await http.put(f"/v1/widgets/{demo.widget_id}", json=widget))


async def _choose_model(http: httpx.AsyncClient, demo: Demo) -> None:
    """Let the demo assistant use the model that the environment has a key for, and quotations without one."""
    if os.environ.get("OPENAI_API_KEY"):
        wanted = ("openai", os.environ.get("OPENAI_MODEL", "gpt-5.4-mini"))
    elif os.environ.get("ANTHROPIC_API_KEY"):
        wanted = ("anthropic", os.environ.get("ANTHROPIC_MODEL", "claude-haiku-4-5"))
    else:
        wanted = ("offline", "quotations")
    assistant = _checked(await http.get(f"/v1/assistants/{demo.assistant_id}"))
    if (assistant["provider"], assistant["model"]) != wanted:
        assistant |= {"provider": wanted[0], "model": wanted[1]}
        _checked(await http.put(f"/v1/assistants/{demo.assistant_id}", json=assistant))


async def _upload_samples(http: httpx.AsyncClient, say: Say) -> None:
    known = {document["title"] for document in _checked(await http.get("/v1/documents"))["documents"]}
    missing = [path for path in sorted(SAMPLES.iterdir()) if path.name not in known]
    for path in missing:
        say(f"uploading {path.name}")
    uploaded = await asyncio.gather(*(upload(http, path) for path in missing))
    for document_id in uploaded:
        document = await until_processed(http, document_id)
        if document["status"] != "ready":
            raise DemoFailed(f"{document['title']} failed: {document['failure']}")
        say(f"{document['title']} is ready: {document['progress']['total']} chunks")


def _checked(response: httpx.Response) -> Any:
    if response.is_error:
        raise DemoFailed(f"{response.request.method} {response.request.url.path} answered {response.status_code}")
    return response.json()
