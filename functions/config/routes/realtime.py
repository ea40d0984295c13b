"""Where live messages are to be had."""

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from chatconnect.http.authentication import current_reader
from chatconnect.http.errors import responses
from functions.config.services import RealtimeUrl

router = APIRouter(prefix="/v1", tags=["realtime"])


class RealtimeBody(BaseModel):
    """The WebSocket's address; null where there is none."""

    url: str | None


@router.get("/realtime", dependencies=[Depends(current_reader)], responses=responses(401, 403))
async def realtime(url: RealtimeUrl) -> RealtimeBody:
    """Return the address of the WebSocket that tells what moves.

    Connect to it with `?token=`: a member's access token lets hear what the tenant's staff is told, a chat token what
    the visitor is; a secret key is not taken. Every message is a JSON object with a `type`. So far there is
    `{"type": "document", "document": {"id", "version", "status", "progress": {"done", "total", "unit"}, "failure"}}`,
    for staff, when a document's status moves, and at least every two seconds while one is processed.

    A connection hears for 15 minutes (staff) or an hour (visitors): say `{"action": "renew", "token": "..."}` before
    that, and at least every ten minutes; the answer is `{"action": "renewed", "expires_in": 900}`. Messages that
    nobody was connected for are not repeated.
    """
    return RealtimeBody(url=url or None)
