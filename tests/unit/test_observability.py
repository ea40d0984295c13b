"""What is counted."""

import json

import pytest

from chatconnect.observability import record_lookup, record_lookups, record_reembedding, record_turn
from tests.factories import a_conversation, a_tenant, a_turn, answered


@pytest.mark.parametrize(
    ("cache", "known", "metric"),
    [
        ("embedding", True, "embedding_cache_hits_total"),
        ("embedding", False, "embedding_cache_misses_total"),
        ("search", True, "search_cache_hits_total"),
        ("search", False, "search_cache_misses_total"),
    ],
)
def test_a_question_to_a_cache_is_a_hit_or_a_miss(
    cache: str, known: bool, metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record_lookup(cache, known)

    printed = json.loads(capsys.readouterr().out)
    [described] = printed["_aws"]["CloudWatchMetrics"]
    assert described["Metrics"] == [{"Name": metric, "Unit": "Count"}]
    assert printed[metric] == [1.0]


def test_many_questions_to_a_cache_are_counted_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    record_lookups("embedding", 60, 4)

    printed = json.loads(capsys.readouterr().out)
    assert (printed["embedding_cache_hits_total"], printed["embedding_cache_misses_total"]) == ([60.0], [4.0])


def test_a_run_of_the_embedding_change_tells_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    record_reembedding({"embedded": 64, "failed": 1, "moving": 3, "done": 100, "total": 250})

    printed = json.loads(capsys.readouterr().out)
    assert (printed["reembedded_chunks_total"], printed["reembedding_failures_total"]) == ([64.0], [1.0])
    assert (printed["reembedding_tenants_left"], printed["reembedding_chunks_left"]) == ([3.0], [150.0])


def test_an_ended_turn_is_measured_step_by_step_and_its_figures_are_logged_without_its_text(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    new = a_tenant()
    turn = a_turn(a_conversation(new.tenant.id, new.assistant.id))
    timings = {"admit": 0.5, "search": 12.0, "generate": 800.0, "record": 4.0}

    record_turn(answered(turn, text="a secret answer", timings=timings))

    printed = capsys.readouterr().out
    lines = [json.loads(line) for line in printed.splitlines()]
    [steps] = [line for line in lines if "qdrant_search_duration_seconds" in line]
    [logged] = [vars(record) for record in caplog.records]
    assert steps["qdrant_search_duration_seconds"] == [0.012]
    assert (steps["admission_duration_seconds"], steps["recording_duration_seconds"]) == ([0.0005], [0.004])
    assert logged["timings_ms"] == timings
    assert "a secret answer" not in printed + str(logged)
