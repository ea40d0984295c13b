"""Qdrant: its engine behind the part of its REST API that we use."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.services.process import HOST, Service, http_ok

_ROOT = Path(__file__).parents[2]


class Qdrant(Service):
    """`python -m local.qdrant`."""

    name, variable = "qdrant", "QDRANT_PORT"

    @property
    def url(self) -> str:
        """The address to give to a client."""
        return f"http://{HOST}:{self.port}"

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        return [
            *(sys.executable, "-m", "local.qdrant"),
            *("--port", str(self.port)),
            *("--path", str(self.data_dir / "collections")),
        ]

    def environment(self) -> Mapping[str, str]:
        """Let Python find the `local` package, wherever the parent was started."""
        return {"PYTHONPATH": str(_ROOT)}

    async def is_ready(self) -> bool:
        """Say whether it answers that it is ready."""
        return await http_ok(self.port, "/readyz")
