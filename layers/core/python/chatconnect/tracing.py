"""Traces: how long the steps of a turn and of an upload took, as X-Ray shows them.

Lambda runs X-Ray's daemon beside every function and says where in AWS_XRAY_DAEMON_ADDRESS; a trace's part is one
datagram to it: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html. X-Ray's own library is
at the end of its support, and takes 0.3 s to import.
"""

import os
import re
import secrets
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar

import orjson

from chatconnect.domain.conversation import MessageStatus, Turn
from chatconnect.services.timings import Span

trace_header: ContextVar[str] = ContextVar("trace_header", default="")
"""X-Ray's header of the request that is being answered; a function that is given events has it in its environment."""

_HEAD = b'{"format": "json", "version": 1}\n'
_SAMPLED = re.compile(r"Root=(?P<root>1-[0-9a-f]{8}-[0-9a-f]{24});Parent=(?P<parent>[0-9a-f]{16});Sampled=1\b")


def send_trace(
    name: str, spans: Sequence[Span], annotations: Mapping[str, str | int | float], *, failed: bool = False
) -> None:
    """Send what took how long, from the first step's beginning to the last one's end, as a part of the present trace.

    Nothing is sent outside Lambda, when X-Ray takes no sample of this request, and when there was no step; what the
    daemon does not get is lost. `annotations` can be searched for: they hold ids and figures only.
    """
    daemon = os.environ.get("AWS_XRAY_DAEMON_ADDRESS")
    sampled = _SAMPLED.search(trace_header.get() or os.environ.get("_X_AMZN_TRACE_ID", ""))
    if not daemon or sampled is None or not spans:
        return
    began = time.time() - time.perf_counter()  # of the clock that spans are measured with
    part = {
        **_timed(name, began + min(span.begin for span in spans), began + max(span.end for span in spans)),
        "type": "subsegment",
        "trace_id": sampled["root"],
        "parent_id": sampled["parent"],
        "annotations": dict(annotations),
        "fault": failed,
        "subsegments": [_timed(span.name, began + span.begin, began + span.end) for span in spans],
    }
    host, _, port = daemon.rpartition(":")
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to_daemon:
        to_daemon.setblocking(False)
        to_daemon.sendto(_HEAD + orjson.dumps(part), (host, int(port)))


def trace_turn(turn: Turn, spans: Sequence[Span]) -> None:
    """Send the steps of an ended turn."""
    answer = turn.answer
    about = {
        "tenant_id": str(turn.conversation.tenant_id),
        "message_id": str(answer.id),
        "status": answer.status.value,
        "model": answer.model or "none",
    }
    send_trace("turn", spans, about, failed=answer.status is MessageStatus.FAILED)


def trace_ingestion(begin: float, outcome: str, chunks: int, seconds: Mapping[str, float]) -> None:
    """Send what a processed upload took since `begin`; its steps alternate, so each is told as a sum of seconds."""
    steps = {f"{step}_seconds": round(spent, 3) for step, spent in seconds.items()}
    send_trace("upload", [Span("ingest", begin, time.perf_counter())], {"outcome": outcome, "chunks": chunks, **steps})


def _timed(name: str, begin: float, end: float) -> dict[str, object]:
    return {"name": name, "id": secrets.token_hex(8), "start_time": begin, "end_time": end}
