"""One function as Lambda runs it: its handler under the real runtime client, in a process of its own."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty
from typing import IO, Any, Self

from local.configuration import ROOT
from local.parent import die_with_parent
from local.runtime_api import Outcome, RuntimeApi

_LONGEST_SECONDS = 300.0
_LOOK_SECONDS = 0.2


class FunctionEnded(Exception):
    """The function's process ended, or did not answer in time."""


def function_names() -> list[str]:
    """Return the names of the functions that there are."""
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


def function_environment(name: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a function's process: its settings and those that Lambda itself sets."""
    return {
        **os.environ,
        **settings,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
        "LAMBDA_TASK_ROOT": str(ROOT),
        "POWERTOOLS_SERVICE_NAME": name,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "layers/core/python")]),
    }


class LocalFunction:
    """A function that runs while it is entered; what it prints goes to `log`.

    Enter it on the main thread: the kernel ends the child when the thread that started it ends.
    """

    def __init__(
        self, name: str, settings: Mapping[str, str], *, log: IO[Any] | int | None = None, python: Sequence[str] = ()
    ) -> None:
        """`python` are options of the interpreter."""
        self.name = name
        self._settings, self._log, self._python = settings, log, python
        self.api = RuntimeApi()
        self.started_at = 0.0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process. Raises FunctionEnded when it is not entered."""
        if self._process is None:
            raise FunctionEnded(f"{self.name} is not running")
        return self._process.pid

    def invoke(self, event: Any, *, timeout_seconds: float = _LONGEST_SECONDS) -> Outcome:
        """Return what the function makes of an event; a failing initialisation is an outcome too.

        Raises FunctionEnded.
        """
        self.api.send(event)
        return self.outcome(timeout_seconds)

    def outcome(self, timeout_seconds: float = _LONGEST_SECONDS) -> Outcome:
        """Wait for the next outcome. Raises FunctionEnded."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            ended = self._process is None or self._process.poll() is not None
            with contextlib.suppress(Empty):
                return self.api.outcomes.get(timeout=_LOOK_SECONDS)
            if ended:
                raise FunctionEnded(f"{self.name} ended without an answer")
        raise FunctionEnded(f"{self.name} did not answer in {timeout_seconds:.0f} s")

    def __enter__(self) -> Self:
        self.api.__enter__()
        self.started_at = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, *self._python, "-m", "awslambdaric", f"functions.{self.name}.handler.handler"],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            cwd=ROOT,
            env={**function_environment(self.name, self._settings), "AWS_LAMBDA_RUNTIME_API": self.api.address},
            preexec_fn=die_with_parent,
        )
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self.api.__exit__()
