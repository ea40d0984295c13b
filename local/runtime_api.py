"""Lambda's Runtime API, as far as the runtime client needs it: it asks here for events and answers them here."""

import json
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any, Self

from local.services.process import HOST

_VERSION = "/2018-06-01/runtime"
_OK, _ACCEPTED, _NOT_FOUND = 200, 202, 404
_CALL_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a function made of an event: what it returned, or how it failed. `at` is a `time.perf_counter()`."""

    payload: Any = None
    error: dict[str, Any] | None = None
    at: float = field(default_factory=time.perf_counter)


class RuntimeApi:
    """The API of one execution environment, while it is entered: events go out one at a time, outcomes come in.

    An error before the first event is an outcome too: `initialised_at` is None then. `call_seconds` is how long a call
    may take, as the function is told; nothing ends one that takes longer.
    """

    def __init__(self) -> None:
        self.outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self.initialised_at: float | None = None
        self.call_seconds = _CALL_SECONDS
        self._events: SimpleQueue[bytes | None] = SimpleQueue()
        self._server = _Server((HOST, 0), partial(_Calls, self))
        self._thread = threading.Thread(target=self._server.serve_forever, name="runtime-api", daemon=True)

    @property
    def address(self) -> str:
        """What AWS_LAMBDA_RUNTIME_API is to be."""
        return f"{HOST}:{self._server.server_port}"

    def send(self, event: Any) -> None:
        """Give the function an event as soon as it asks for one."""
        self._events.put(json.dumps(event).encode())

    def next_event(self) -> bytes | None:
        """Wait for the next event; None when the API closes. The first call says that the function is initialised."""
        if self.initialised_at is None:
            self.initialised_at = time.perf_counter()
        return self._events.get()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a runtime client that was ended leaves its question for the next event open

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a runtime client that was ended in the middle of a call."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Calls(BaseHTTPRequestHandler):
    """The calls of the runtime client."""

    protocol_version = "HTTP/1.1"

    def __init__(self, api: RuntimeApi, *arguments: Any) -> None:
        self._api = api
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """/invocation/next: wait for an event."""
        if self.path != f"{_VERSION}/invocation/next":
            self._reply(_NOT_FOUND)
            return
        event = self._api.next_event()
        if event is None:
            self.close_connection = True
            return
        self._reply(_OK, event, _invocation_headers(self._api.call_seconds))

    def do_POST(self) -> None:
        """/invocation/{id}/response, /invocation/{id}/error and /init/error: take an outcome."""
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
        self._reply(_ACCEPTED, b'{"status": "OK"}')
        failed = self.path.endswith("/error")
        self._api.outcomes.put(Outcome(error=content) if failed else Outcome(payload=content))

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing: what the function prints is what matters."""

    def _reply(self, status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _invocation_headers(call_seconds: float) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
        "Lambda-Runtime-Deadline-Ms": str(int((time.time() + call_seconds) * 1000)),
        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:local",
        "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
    }
