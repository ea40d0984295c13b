"""What Lambda relies on between one event and the next."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from local.configuration import ROOT
from local.events import read_event
from local.function import LocalFunction, function_names
from tests.contracts.events.conftest import Invoke, ReadEvent
from tests.stack import RunningStack

Start = Callable[..., LocalFunction]
UNKNOWN = "01920000-0000-7000-8000-000000000000"
EVENTS = sorted((ROOT / "events").glob("*.json"))


def connections(function: LocalFunction, port: int) -> set[int]:
    """The function's ends of its connections to a port."""
    opened = psutil.Process(function.pid).net_connections("tcp")
    return {end.laddr.port for end in opened if getattr(end.raddr, "port", None) == port}


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("chat", "chat"),
        ("config", "config"),
        ("widget_config", "widget_config"),
        ("documents", "documents"),
        ("jobs", "jobs"),
    ],
)
def test_connections_outlive_an_event(
    stack: RunningStack, start: Start, read: ReadEvent, name: str, sample: str
) -> None:
    event = read(sample, upload_key=f"{'/'.join([UNKNOWN] * 3)}/unknown.txt")
    function = start(name)

    first = function.invoke(event, timeout_seconds=60)
    opened = connections(function, stack.services.ports.postgres)
    later = [function.invoke(event, timeout_seconds=60) for _ in range(3)]

    assert [outcome.error for outcome in (first, *later)] == [None] * 4
    assert opened
    assert connections(function, stack.services.ports.postgres) >= opened


def test_a_failure_is_reported_and_the_next_event_is_handled(invoke: Invoke, read: ReadEvent) -> None:
    failed = invoke("jobs", {"job": "unheard-of"})
    after = invoke("jobs", read("jobs-reconcile"))

    assert failed.error is not None
    assert failed.error["errorType"] == "Invalid"
    assert failed.error["errorMessage"].startswith("there is no such job; there are ")
    assert after.error is None
    assert after.payload["purged"] == 0


def test_wrong_settings_are_reported_without_their_values(function_settings: Mapping[str, str]) -> None:
    with LocalFunction("jobs", {**function_settings, "DATABASE_POOL_SIZE": "s3cret"}) as function:
        outcome = function.outcome(timeout_seconds=60)

    assert outcome.error is not None
    assert function.api.initialised_at is None
    assert "database_pool_size" in outcome.error["errorMessage"]
    assert "s3cret" not in json.dumps(outcome.error)


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_a_samples_name_begins_with_its_function(path: Path) -> None:
    assert path.stem.partition("-")[0] in function_names()
    assert isinstance(read_event(path, {}), dict)


def test_every_function_with_a_trigger_has_a_sample() -> None:
    sampled = {path.stem.partition("-")[0] for path in EVENTS}

    assert sampled == set(function_names()) - {"migrate"}
