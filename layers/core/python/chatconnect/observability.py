"""Logs and metrics. A log line carries the trace id; it never carries message text, document text or a secret."""

import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import orjson
from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit

from chatconnect.domain.conversation import Turn
from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.session import Session

NAMESPACE = "ChatConnect"
_STEP_METRICS = {
    "admit": "admission_duration_seconds",
    "embed": "embedding_duration_seconds",
    "search": "qdrant_search_duration_seconds",
    "first_token": "llm_first_token_seconds",
    "generate": "llm_duration_seconds",
    "record": "recording_duration_seconds",
}
trace_id: ContextVar[str] = ContextVar("trace_id", default="")


class _WithTrace(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.trace_id = trace_id.get()
        return True


@cache
def logger() -> Logger:
    """Return this process's structured logger."""
    made = Logger(service=os.environ.get("POWERTOOLS_SERVICE_NAME", "chatconnect"), utc=True)
    made.addFilter(_WithTrace())
    return made


def log_fault(what: str, fault: BaseException) -> None:
    """Log a fault by its kind. Errors that are ours are expected now and then; others come with their traceback.

    The text of a foreign exception is left out: it may quote what a visitor wrote.
    """
    if isinstance(fault, ChatConnectError):
        logger().warning(what, extra={"code": fault.code, "cause": type(fault.__cause__).__name__})
        return
    frames = []
    traceback = fault.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{traceback.tb_lineno} {code.co_name}")
        traceback = traceback.tb_next
    logger().error(what, extra={"kind": type(fault).__name__, "traceback": frames[-12:]})


def log_copied_session(session: Session) -> None:
    """Log that a refresh token came a second time: somebody has a copy of it, and its session was ended."""
    about = {"session_id": str(session.id), "account_id": str(session.account_id)}
    logger().warning("refresh token used twice", extra=about)


def turn_fault(turn: Turn, fault: BaseException) -> None:
    """Log what went wrong in a turn."""
    token = trace_id.set(turn.answer.trace_id or "")
    try:
        log_fault("turn fault", fault)
    finally:
        trace_id.reset(token)


def record_turn(turn: Turn) -> None:
    """Count an ended turn (chat_requests_total, chat_latency_seconds, llm_tokens_total), measure its steps
    (qdrant_search_duration_seconds and others), and log its figures.
    """
    answer, usage = turn.answer, turn.answer.usage
    with _metrics({"status": answer.status.value, "model": answer.model or "none"}) as metrics:
        metrics.add_metric("chat_requests_total", MetricUnit.Count, 1)
        metrics.add_metric("chat_latency_seconds", MetricUnit.Seconds, (usage.total_ms or 0) / 1000)
        if usage.first_token_ms is not None:
            metrics.add_metric("chat_first_token_seconds", MetricUnit.Seconds, usage.first_token_ms / 1000)
        metrics.add_metric("llm_tokens_total", MetricUnit.Count, usage.input_tokens + usage.output_tokens)
        metrics.add_metric("llm_cached_tokens_total", MetricUnit.Count, usage.cached_tokens)
        metrics.add_metric("llm_cost_microusd_total", MetricUnit.Count, usage.cost_microusd)
    with _metrics({}) as metrics:
        for step, name in _STEP_METRICS.items():
            if (milliseconds := answer.timings.get(step)) is not None:
                metrics.add_metric(name, MetricUnit.Seconds, milliseconds / 1000)
    logger().info(
        "turn",
        extra={
            "tenant_id": str(turn.conversation.tenant_id),
            "conversation_id": str(turn.conversation.id),
            "message_id": str(answer.id),
            "trace_id": answer.trace_id,
            "status": answer.status.value,
            "error_code": answer.error_code,
            "model": answer.model,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "from_cache": usage.from_cache,
            "cost_microusd": usage.cost_microusd,
            "first_token_ms": usage.first_token_ms,
            "total_ms": usage.total_ms,
            "citations": len(answer.citations),
            "timings_ms": dict(answer.timings),
        },
    )


def record_ingestion(outcome: str, chunks: int, seconds: dict[str, float]) -> None:
    """Count a processed upload and the seconds of each of its steps."""
    with _metrics({"outcome": outcome}) as metrics:
        metrics.add_metric("documents_processed_total", MetricUnit.Count, 1)
        metrics.add_metric("document_chunks_total", MetricUnit.Count, chunks)
        for step, spent in seconds.items():
            metrics.add_metric(f"ingestion_{step}_seconds", MetricUnit.Seconds, spent)
    logger().info("ingested", extra={"outcome": outcome, "chunks": chunks, "seconds": seconds})


def record_resealing(figures: Mapping[str, int]) -> None:
    """Tell how many sealed values still need a former master key (sealed_values_left), and how many do not open."""
    with _metrics({}) as metrics:
        metrics.add_metric("sealed_values_left", MetricUnit.Count, figures["left"])
        metrics.add_metric("sealed_values_unreadable", MetricUnit.Count, figures["unreadable"])


def record_data_requests(figures: Mapping[str, int]) -> None:
    """Count what a run of the job has done of exports and erasures, what failed, and what is left."""
    with _metrics({}) as metrics:
        metrics.add_metric("data_requests_done_total", MetricUnit.Count, figures["done"])
        metrics.add_metric("data_requests_failures_total", MetricUnit.Count, figures["failed"])
        metrics.add_metric("data_requests_left", MetricUnit.Count, figures["left"])


def record_retention(figures: Mapping[str, int]) -> None:
    """Count what was removed because it was older than its tenant keeps it."""
    with _metrics({}) as metrics:
        for kind in ("conversations", "visitors", "audit"):
            metrics.add_metric(f"retention_{kind}_removed_total", MetricUnit.Count, figures[kind])
        metrics.add_metric("retention_failures_total", MetricUnit.Count, figures["failed"])


def record_lookup(cache: str, known: bool) -> None:
    """Count a question to a cache: <cache>_cache_hits_total or <cache>_cache_misses_total."""
    with _metrics({}) as metrics:
        metrics.add_metric(f"{cache}_cache_{'hits' if known else 'misses'}_total", MetricUnit.Count, 1)


def record_lookups(cache: str, hits: int, misses: int) -> None:
    """Count several questions to a cache: <cache>_cache_hits_total and <cache>_cache_misses_total."""
    with _metrics({}) as metrics:
        metrics.add_metric(f"{cache}_cache_hits_total", MetricUnit.Count, hits)
        metrics.add_metric(f"{cache}_cache_misses_total", MetricUnit.Count, misses)


def record_reembedding(figures: Mapping[str, int]) -> None:
    """Count what a run of the job has embedded, and measure how many chunks and tenants are left to it."""
    with _metrics({}) as metrics:
        metrics.add_metric("reembedded_chunks_total", MetricUnit.Count, figures["embedded"])
        metrics.add_metric("reembedding_failures_total", MetricUnit.Count, figures["failed"])
        metrics.add_metric("reembedding_tenants_left", MetricUnit.Count, figures["moving"])
        metrics.add_metric("reembedding_chunks_left", MetricUnit.Count, figures["total"] - figures["done"])


class _Metrics:
    """Metrics that are printed together."""

    def __init__(self) -> None:
        self._units: list[dict[str, str]] = []
        self._values: dict[str, list[float]] = {}

    def add_metric(self, name: str, unit: MetricUnit, value: float) -> None:
        """Add one metric."""
        self._units.append({"Name": name, "Unit": unit.value})
        self._values[name] = [float(value)]

    def line(self, dimensions: dict[str, str]) -> str:
        """Return them in CloudWatch's embedded metric format."""
        metrics = {"Namespace": NAMESPACE, "Dimensions": [list(dimensions)], "Metrics": self._units}
        about = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [metrics]}
        return orjson.dumps({"_aws": about, **dimensions, **self._values}).decode()


@contextmanager
def _metrics(dimensions: dict[str, str]) -> Iterator[_Metrics]:
    """Collect metrics and print them, which costs no call; Powertools would take a quarter of a millisecond for it."""
    metrics = _Metrics()
    yield metrics
    service = os.environ.get("POWERTOOLS_SERVICE_NAME", "chatconnect")
    sys.stdout.write(f"{metrics.line({'service': service, **dimensions})}\n")
