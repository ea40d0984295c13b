"""What X-Ray's daemon is told."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from chatconnect.domain.conversation import MessageStatus
from chatconnect.services.timings import Timings
from chatconnect.tracing import send_trace, trace_header, trace_ingestion, trace_turn
from tests.factories import a_conversation, a_tenant, a_turn, answered
from tests.xray import SAMPLED, XRayDaemon


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[XRayDaemon]:
    listening = XRayDaemon()
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", listening.address)
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    yield listening
    listening.close()


@pytest.fixture
def sampled() -> Iterator[None]:
    token = trace_header.set(SAMPLED)
    yield
    trace_header.reset(token)


def steps() -> Timings:
    timings = Timings()
    with timings.step("place"):
        pass
    with timings.step("search"):
        time.sleep(0.002)
    return timings


@pytest.mark.usefixtures("sampled")
def test_the_steps_of_a_turn_stand_below_the_invocation(daemon: XRayDaemon) -> None:
    new = a_tenant()
    turn = answered(a_turn(a_conversation(new.tenant.id, new.assistant.id)), text="a secret answer")

    trace_turn(turn, steps().spans)

    [told] = daemon.told()
    assert (told["trace_id"], told["parent_id"]) == ("1-6920c0de-0123456789abcdef01234567", "0123456789abcdef")
    assert (told["name"], told["type"], told["fault"]) == ("turn", "subsegment", False)
    assert told["annotations"]["tenant_id"] == str(new.tenant.id)
    assert told["annotations"]["message_id"] == str(turn.answer.id)
    assert [step["name"] for step in told["subsegments"]] == ["place", "search"]
    assert "a secret answer" not in json.dumps(told)


@pytest.mark.usefixtures("sampled")
def test_steps_have_their_times_of_the_clock(daemon: XRayDaemon) -> None:
    send_trace("turn", steps().spans, {})

    [told] = daemon.told()
    place, search = told["subsegments"]
    assert told["start_time"] == place["start_time"] <= place["end_time"] <= search["start_time"]
    assert search["end_time"] - search["start_time"] >= 0.002
    assert told["end_time"] == search["end_time"] <= time.time() + 0.01
    assert time.time() - told["end_time"] < 5
    assert len({told["id"], place["id"], search["id"]}) == 3


@pytest.mark.usefixtures("sampled")
def test_a_turn_that_failed_is_a_fault(daemon: XRayDaemon) -> None:
    new = a_tenant()
    turn = a_turn(a_conversation(new.tenant.id, new.assistant.id))

    trace_turn(replace(turn, answer=replace(turn.answer, status=MessageStatus.FAILED)), steps().spans)

    assert [each["fault"] for each in daemon.told()] == [True]


def test_an_upload_is_told_with_the_seconds_of_its_steps(daemon: XRayDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", f"{SAMPLED};Lineage=1:a87bd80c:0")

    trace_ingestion(time.perf_counter() - 1, "ready", 12, {"parse": 0.25, "embed": 0.5})

    [told] = daemon.told()
    assert told["annotations"] == {"outcome": "ready", "chunks": 12, "parse_seconds": 0.25, "embed_seconds": 0.5}
    assert told["end_time"] - told["start_time"] == pytest.approx(1, abs=0.5)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Root=1-6920c0de-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0",
        "Root=1-6920c0de-0123456789abcdef01234567",
        "Root=whatever;Parent=<script>;Sampled=1",
    ],
)
def test_what_is_no_sample_is_not_told(daemon: XRayDaemon, header: str) -> None:
    token = trace_header.set(header)

    send_trace("turn", steps().spans, {})

    trace_header.reset(token)
    assert daemon.told() == []


@pytest.mark.usefixtures("sampled")
def test_nothing_is_told_without_a_step_or_without_a_daemon(
    daemon: XRayDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_trace("turn", [], {})
    monkeypatch.delenv("AWS_XRAY_DAEMON_ADDRESS")
    send_trace("turn", steps().spans, {})

    assert daemon.told() == []


@pytest.mark.usefixtures("sampled")
def test_a_daemon_that_is_away_harms_nothing(daemon: XRayDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    for nowhere in ("127.0.0.1:9", "127.0.0.1:0"):
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", nowhere)
        send_trace("lost", steps().spans, {})
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", daemon.address)
    send_trace("turn", steps().spans, {})

    assert [each["name"] for each in daemon.told()] == ["turn"]
