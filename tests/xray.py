"""X-Ray's daemon, as far as it is told something."""

import json
import socket
from typing import Any

SAMPLED = "Root=1-6920c0de-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1"


class XRayDaemon:
    """Listens where X-Ray's daemon would."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def told(self) -> list[Any]:
        """The documents that came, each behind its head."""
        documents: list[Any] = []
        while True:
            try:
                head, _, document = self._socket.recv(65_536).partition(b"\n")
            except BlockingIOError:
                return documents
            assert json.loads(head) == {"format": "json", "version": 1}
            documents.append(json.loads(document))

    def close(self) -> None:
        self._socket.close()
