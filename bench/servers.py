"""Servers to compare with, as child processes."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.services.process import HOST, Service, http_ok


class UvicornServer(Service):
    """An app of this folder under the same server as ours: one process, uvloop, httptools."""

    name, variable = "server", "BENCH_PORT"

    def __init__(self, app: str, data_dir: Path, port: int, settings: Mapping[str, str]) -> None:
        """`app` is "module:attribute"; `settings` are the variables that it reads. It answers at /health."""
        super().__init__(data_dir, port)
        self._app, self._settings = app, settings

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://{HOST}:{self.port}"

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        return [
            *(sys.executable, "-m", "uvicorn", self._app, "--host", HOST, "--port", str(self.port)),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
        ]

    def environment(self) -> Mapping[str, str]:
        """Return the app's settings."""
        return self._settings

    async def is_ready(self) -> bool:
        """Say whether it answers."""
        return await http_ok(self.port, "/health")
