"""`make invoke`: runs one function with one event, as Lambda would, on the running `make dev`."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from local.configuration import ROOT, Ports, Stack, addresses_file, state_directory
from local.events import event_values, read_event
from local.function import FunctionEnded, LocalFunction, function_names
from local.resources import make_resources

_PORTS = {
    "api": "api_url",
    "postgres": "postgres_url",
    "redis": "redis_url",
    "qdrant": "qdrant_url",
    "aws": "s3_endpoint",
}
_REFUSED = 2


class NotInvoked(Exception):
    """The function could not be asked; the message says why."""


def main() -> int:
    """Print the function's answer as JSON, and what it logs on standard error; return the exit status."""
    parser = argparse.ArgumentParser(prog="make invoke FUNCTION=... EVENT=...", description=__doc__)
    parser.add_argument("function", help=", ".join(function_names()))
    parser.add_argument("event", type=Path, help="a file, such as one in events/")
    arguments = parser.parse_args()
    try:
        addresses = running_stack()
        event = sample(arguments.event, event_values(addresses))
        answer, status = invoke(arguments.function, event, settings_of(addresses))
    except (NotInvoked, FunctionEnded) as error:
        print(error, file=sys.stderr)
        return _REFUSED
    print(json.dumps(answer, indent=2, ensure_ascii=False))
    return status


def running_stack() -> dict[str, str]:
    """Return the addresses of the running `make dev`. Raises NotInvoked."""
    try:
        addresses: dict[str, str] = json.loads(addresses_file().read_text())
        httpx.get(f"{addresses['api_url']}/health").raise_for_status()
    except (OSError, httpx.HTTPError) as error:
        raise NotInvoked("no stack is running; start one with: make dev") from error
    return addresses


def settings_of(addresses: Mapping[str, str]) -> Mapping[str, str]:
    """Return the functions' settings on the stack with these addresses."""
    ports = Ports(**{name: urlsplit(addresses[address]).port or 0 for name, address in _PORTS.items()})
    stack = Stack(state_directory() / "dev", ports)
    return stack.settings(addresses["postgres_url"], make_resources(stack.aws))


def sample(path: Path, values: Mapping[str, str]) -> Any:
    """Return the event in a file, filled in. Raises NotInvoked."""
    try:
        return read_event(path, values)
    except OSError as error:
        known = ", ".join(sorted(str(p.relative_to(ROOT)) for p in (ROOT / "events").glob("*.json")))
        raise NotInvoked(f"there is no event {path}; there are {known}") from error
    except ValueError as error:
        raise NotInvoked(f"{path} is no JSON: {error}") from error


def invoke(function: str, event: Any, settings: Mapping[str, str]) -> tuple[Any, int]:
    """Return the function's answer and 0, or its error and 1. Raises NotInvoked, FunctionEnded."""
    if function not in function_names():
        raise NotInvoked(f"there is no function {function}; there are {', '.join(function_names())}")
    with LocalFunction(function, settings, log=sys.stderr) as running:
        outcome = running.invoke(event)
    return (outcome.payload, 0) if outcome.error is None else (outcome.error, 1)


if __name__ == "__main__":
    sys.exit(main())
