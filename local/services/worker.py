"""The queues' consumer: what SQS event source mappings do on AWS."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.services.process import Service


class Worker(Service):
    """Hands messages of the queues to the functions' handlers. It listens on no port."""

    name, variable = "worker", "WORKER_PORT"

    def __init__(self, data_dir: Path, settings: Mapping[str, str]) -> None:
        super().__init__(data_dir, port=0)
        self._settings = settings
        self._ready = data_dir / "worker.ready"

    @property
    def url(self) -> str:
        """It has no address."""
        return ""

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        return [sys.executable, "-m", "local.worker", "--ready", str(self._ready)]

    def environment(self) -> Mapping[str, str]:
        """Return the functions' settings."""
        return self._settings

    async def prepare(self) -> None:
        """Forget that an earlier one was ready."""
        self._ready.unlink(missing_ok=True)

    async def is_ready(self) -> bool:
        """Say whether it has begun to listen to the queues."""
        return self._ready.exists()
