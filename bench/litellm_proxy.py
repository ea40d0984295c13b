"""LiteLLM's proxy, to compare with: installed as locked into an environment of its own, away from everything else.

A release of it has been malicious more than once, so what is locked in `requirements.txt` beside this file is an older
one whose every file is hashed, nothing is built from source, and its process is given no variable of ours.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path

from bench import environments
from bench.provider import ScriptedProvider
from local.services.process import HOST, Service, http_ok

LOCK = Path(__file__).with_name("requirements.txt")


class LiteLlmProxy(Service):
    """The proxy as a child process with one worker, in front of the scripted provider."""

    name, variable = "litellm", "LITELLM_PORT"

    def __init__(self, data_dir: Path, port: int, environment: Path, provider: ScriptedProvider) -> None:
        """`environment` is the virtual environment that it is installed in."""
        super().__init__(data_dir, port)
        self._program, self._config = environment / "bin" / "litellm", data_dir / "config.json"
        self._provider = provider

    @property
    def url(self) -> str:
        """The proxy's address."""
        return f"http://{HOST}:{self.port}"

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.data_dir), "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                 "LITELLM_LOG": "ERROR", "NO_PROXY": "*"}  # fmt: skip
        return [
            *("env", "-i", *(f"{name}={value}" for name, value in clean.items())),
            *(str(self._program), "--config", str(self._config), "--host", HOST, "--port", str(self.port)),
            *("--num_workers", "1", "--telemetry", "False"),
        ]

    async def prepare(self) -> None:
        """Write its configuration, in the JSON that YAML includes: every model is the scripted provider's."""
        parameters = {"model": "openai/*", "api_base": self._provider.url, "api_key": "scripted"}
        config = {
            "model_list": [{"model_name": "*", "litellm_params": parameters}],
            "litellm_settings": {"telemetry": False, "drop_params": True},
        }
        self._config.write_text(json.dumps(config))

    async def is_ready(self) -> bool:
        """Say whether it answers."""
        return await http_ok(self.port, "/health/liveliness")


async def installed() -> Path:
    """Return the virtual environment that it is installed in, made at the first time. Raises NotInstalled."""
    return await asyncio.to_thread(environments.installed, "litellm", LOCK)
