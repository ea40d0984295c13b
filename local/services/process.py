"""One service: a child process with a directory, a port and a way to tell that it is ready."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Self

import psutil

from local.parent import die_with_parent

HOST = "127.0.0.1"

_START_LIMIT = 60.0  # seconds, generous: a cold disk and busy neighbours
_STOP_LIMIT = 10.0
_PORT_GRACE = 2.0  # a stack that was killed a moment ago is still letting go of its ports
_POLL = 0.02
_LOG_LINES = 20
_returned_ports: set[int] = set()  # whoever asked for one may not listen on it yet


class PortTaken(Exception):
    """Something else listens on the port that a service is to have."""

    def __init__(self, service: str, port: int, variable: str) -> None:
        super().__init__(f"port {port} for {service} is taken; set {variable} to another one")
        self.port, self.variable = port, variable


class StartFailed(Exception):
    """A service ended, or was not ready in time; the message ends with the last lines of its log."""


def free_port() -> int:
    """Return a port that nobody listens on at the moment, and that was not returned before."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port: int = probe.getsockname()[1]
        if port not in _returned_ports:
            _returned_ports.add(port)
            return port


class Service(ABC):
    """A service that runs while it is entered: `async with Redis(directory, port) as redis: ...`.

    Start it on the main thread: the kernel ends the child when the thread that started it ends.
    """

    name: ClassVar[str]
    variable: ClassVar[str]
    """The environment variable that moves its port."""
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, data_dir: Path, port: int) -> None:
        """Keep everything, and the log `<name>.log`, in `data_dir`; listen on 127.0.0.1:`port`."""
        self.data_dir, self.port = data_dir, port
        self.log = data_dir / f"{self.name}.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address to give to a client."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""

    @abstractmethod
    async def is_ready(self) -> bool:
        """Say whether it answers; an OSError means no."""

    def environment(self) -> Mapping[str, str]:
        """Return the variables to set beside those of this process."""
        return {}

    async def prepare(self) -> None:
        """Do what has to be done before a start, such as creating the data directory's content."""
        return  # most have nothing to prepare

    async def start(self) -> float:
        """Start it and wait until it answers; return the seconds that took.

        Raises PortTaken before anything is started, StartFailed when it ends or does not answer.
        """
        started = time.monotonic()
        await self._check_port()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        await self.prepare()
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self.command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **self.environment()},
                start_new_session=True,  # Ctrl-C is the parent's to handle, in order
                preexec_fn=partial(die_with_parent, self.stop_signal),
            )
        try:
            await self._wait_until_ready(self._process, started + _START_LIMIT)
        except BaseException:
            await self.kill()
            raise
        return time.monotonic() - started

    async def stop(self) -> None:
        """Ask it to stop, wait up to 10 s, then kill it and whatever it started; no error if it has ended."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(self.stop_signal)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _STOP_LIMIT)
        await self.kill()

    async def kill(self) -> None:
        """End it and whatever it started at once, as a crash would; no error if it has ended."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._process = None

    async def wait(self) -> int | None:
        """Wait until it ends by itself and return its status; return None at once when it is not started."""
        return None if self._process is None else await self._process.wait()

    async def restart(self) -> float:
        """Stop and start it again on the same data; return the seconds that the start took."""
        await self.stop()
        return await self.start()

    def is_running(self) -> bool:
        """Say whether its process lives."""
        return self._process is not None and self._process.returncode is None

    def rss(self) -> int:
        """Return the resident memory of it and its children in bytes; what they share counts for each."""
        if self._process is None:
            return 0
        total = 0
        try:
            main = psutil.Process(self._process.pid)
            for process in (main, *main.children(recursive=True)):
                total += process.memory_info().rss
        except psutil.NoSuchProcess:
            pass  # it ended while being looked at
        return total

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.stop()

    async def _check_port(self) -> None:
        deadline = time.monotonic() + _PORT_GRACE
        while not _can_listen(self.port):
            if time.monotonic() > deadline:
                raise PortTaken(self.name, self.port, self.variable)
            await asyncio.sleep(_POLL)

    async def _wait_until_ready(self, process: asyncio.subprocess.Process, deadline: float) -> None:
        while True:
            if process.returncode is not None:
                raise StartFailed(f"{self.name} ended with status {process.returncode}{self._log_tail()}")
            try:
                async with asyncio.timeout(1):
                    if await self.is_ready():
                        return
            except (OSError, TimeoutError):
                pass
            if time.monotonic() > deadline:
                raise StartFailed(f"{self.name} did not answer in {_START_LIMIT:.0f} s{self._log_tail()}")
            await asyncio.sleep(_POLL)

    def _log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        return "\n".join(["; its log ends:", *lines])


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


async def exchange(port: int, request: bytes) -> bytes:
    """Send `request` to a local port and return the first line of what comes back; raise OSError if refused."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(request)
        return await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()


async def http_ok(port: int, path: str) -> bool:
    """Say whether a GET of `path` on a local port answers 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n"
    return b" 200 " in await exchange(port, request.encode())
