"""Whether we are alive, and whether what we depend on is."""

from dataclasses import asdict

from fastapi import APIRouter, Response
from pydantic import BaseModel

from chatconnect.http.errors import responses
from functions.config.services import Health

router = APIRouter(tags=["health"])


class PartBody(BaseModel):
    """One dependency."""

    ok: bool
    milliseconds: int


class QueueBody(BaseModel):
    """One queue: messages waiting and being worked on, and how many seconds ago the oldest was sent.

    The age is what SQS last told CloudWatch, a minute or two ago; null when it has told none.
    """

    waiting: int
    working: int
    oldest_seconds: int | None


class ReadyBody(BaseModel):
    """Everything at once; `status` is ok, degraded or unavailable."""

    status: str
    parts: dict[str, PartBody]
    queues: dict[str, QueueBody | None]


@router.get("/health")
async def alive() -> dict[str, str]:
    """Say that the process is alive."""
    return {"status": "ok"}


@router.get("/health/ready", responses=responses() | {503: {"model": ReadyBody}})
async def ready(health: Health, response: Response) -> ReadyBody:
    """Look at every dependency and queue; 503 when one is away that answers need."""
    seen = await health.look()
    if seen.status == "unavailable":
        response.status_code = 503
    return ReadyBody.model_validate(asdict(seen))
