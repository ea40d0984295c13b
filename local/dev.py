"""`make dev`: brings everything up in order, says so, and stays until Ctrl-C."""

import asyncio
import fcntl
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from local.configuration import DATABASE, Ports, Stack, addresses_file, state_directory
from local.database import prepare_database
from local.demo import DemoFailed, make_demo
from local.resources import Resources, make_resources
from local.services import PortTaken, Service, StartFailed, running
from local.services.api import Api
from local.services.worker import Worker

console = Console(highlight=False)
_MIB = 1024 * 1024


class AlreadyRunning(Exception):
    """Another `make dev` runs on the same state."""


def main() -> int:
    """Run the stack; return the process's exit status."""
    state = state_directory() / "dev"
    try:
        ports = Ports.from_environment()
        with only_one(state):
            if os.environ.get("RESET") == "1":
                reset(state)
            asyncio.run(run(Stack(state, ports)))
    except AlreadyRunning as error:
        console.print(f"[red]{error}[/]")
        return 1
    except (PortTaken, StartFailed, DemoFailed, ValueError) as error:
        console.print(f"[red]could not start:[/] {error}", markup=True)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def run(stack: Stack) -> None:
    """Bring everything up, and wait to be stopped. Raises PortTaken, StartFailed, DemoFailed."""
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    begin = time.monotonic()
    addresses_file().unlink(missing_ok=True)
    async with running(stack.postgres, stack.redis, stack.qdrant, stack.aws, started=up):
        database_url = await prepare_database(stack.postgres, DATABASE)
        say("database migrated")
        resources = await asyncio.to_thread(make_resources, stack.aws)
        say("bucket, queues and key made")
        settings = stack.settings(database_url, resources)
        api = Api(stack.state / "api", stack.ports.api, settings)
        worker = Worker(stack.state / "worker", settings)
        async with running(api, worker, started=up):
            demo = await make_demo(stack.api_url, stack.demo_state, say)
            write_addresses(stack, resources, asdict(demo), database_url)
            welcome(stack, time.monotonic() - begin)
            await watch((stack.postgres, stack.redis, stack.qdrant, stack.aws, api, worker), stop)
            console.print("\nstopping ...")
    addresses_file().unlink(missing_ok=True)
    console.print("stopped; nothing is left running")


async def watch(services: tuple[Service, ...], stop: asyncio.Event) -> None:
    """Wait for the wish to stop, or until a part ends by itself. Raises StartFailed naming it."""
    stopping = asyncio.create_task(stop.wait())
    ends = {asyncio.create_task(service.wait()): service for service in services}
    done, pending = await asyncio.wait([stopping, *ends], return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done - {stopping}:
        if not stop.is_set():
            service = ends[task]
            raise StartFailed(f"{service.name} ended by itself; its log is {service.log}")


def write_addresses(stack: Stack, resources: Resources, demo: dict[str, str], database_url: str) -> None:
    """Write `.local/dev.json`, all at once, so that whoever waits for it never reads a half."""
    addresses = {
        "api_url": stack.api_url,
        "ws_url": stack.realtime_url,
        "demo_url": f"{stack.api_url}/demo/",
        "dashboard_url": f"{stack.api_url}/dashboard/",
        **demo,
        "s3_endpoint": stack.aws.url,
        "bucket": resources.bucket,
        "postgres_url": database_url,
        "redis_url": stack.redis.url,
        "qdrant_url": stack.qdrant.url,
    }
    path = addresses_file()
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(addresses, indent=2) + "\n")
    draft.replace(path)


def welcome(stack: Stack, seconds: float) -> None:
    """Say where everything is."""
    services = (stack.postgres, stack.redis, stack.qdrant, stack.aws)
    memory = sum(service.rss() for service in services) // _MIB
    console.print(f"\n[bold green]ready[/] in {seconds:.1f} s; the embedded services take {memory} MiB\n")
    for what, where in (
        ("demo page", f"{stack.api_url}/demo/"),
        ("dashboard", f"{stack.api_url}/dashboard/"),
        ("API contract", f"{stack.api_url}/openapi.json"),
        ("addresses and keys", str(addresses_file())),
        ("mails", f"{stack.mails}/*.eml"),
        ("logs", f"{stack.state}/*/*.log"),
    ):
        console.print(f"  {what:<20}[cyan]{where}[/]")
    console.print("\nCtrl-C stops everything.")


def up(service: Service, seconds: float) -> None:
    """Say that a part has come up."""
    where = f" on {service.url}" if service.url else ""
    console.print(f"  [green]up[/]   {service.name:<10}{where}  [dim]{seconds:.1f} s[/]")


def say(text: str) -> None:
    """Say that a step is done."""
    console.print(f"  [green]done[/] {text}")


def reset(state: Path) -> None:
    """Forget everything but the lock."""
    for path in state.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "lock":
            path.unlink()


@contextmanager
def only_one(state: Path) -> Iterator[None]:
    """Hold the lock on the state. Raises AlreadyRunning when somebody else does."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"make dev is already running here; its addresses are in {addresses_file()}"
            ) from error
        yield


if __name__ == "__main__":
    sys.exit(main())
