"""The product itself: every HTTP function and the pages, in one server."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.services.process import HOST, Service, http_ok


class Api(Service):
    """The API, the widget and the pages. `settings` are the variables that the functions read."""

    name, variable = "api", "API_PORT"

    def __init__(self, data_dir: Path, port: int, settings: Mapping[str, str]) -> None:
        super().__init__(data_dir, port)
        self._settings = settings

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://{HOST}:{self.port}"

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        return [sys.executable, "-m", "local.server", "--port", str(self.port)]

    def environment(self) -> Mapping[str, str]:
        """Return the functions' settings."""
        return self._settings

    async def is_ready(self) -> bool:
        """Say whether it answers."""
        return await http_ok(self.port, "/health")
