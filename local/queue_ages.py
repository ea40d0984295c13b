"""Tells CloudWatch how old the oldest message of each queue is, as SQS does on AWS: the emulator's does not."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import boto3
import httpx
from botocore.exceptions import BotoCoreError, ClientError

_EVERY_SECONDS = 5.0
_PATIENCE_SECONDS = 3.0


def report_ages(endpoint: str, queue_urls: Sequence[str]) -> None:
    """Begin to report, in a thread that ends with the process."""
    threading.Thread(target=_report, args=(endpoint, queue_urls), name="queue ages", daemon=True).start()


def _report(endpoint: str, queue_urls: Sequence[str]) -> None:
    cloudwatch = boto3.client("cloudwatch", endpoint_url=endpoint)
    pause = threading.Event()
    with httpx.Client(base_url=endpoint, timeout=_PATIENCE_SECONDS, trust_env=False) as emulator:
        while not pause.wait(_EVERY_SECONDS):
            try:
                cloudwatch.put_metric_data(
                    Namespace="AWS/SQS", MetricData=[_age_of(emulator, queue_url) for queue_url in queue_urls]
                )
            except (httpx.HTTPError, BotoCoreError, ClientError):  # it is being stopped, or slow
                continue


def _age_of(emulator: httpx.Client, queue_url: str) -> Any:
    answer = emulator.get("/_ministack/sqs/messages", params={"QueueUrl": queue_url}).raise_for_status().json()
    sent = [
        message["SentTimestamp"]
        for regions in answer["messages"].values()
        for queues in regions.values()
        for messages in queues.values()
        for message in messages
    ]
    now = datetime.now(UTC)
    return {
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": queue_url.rpartition("/")[2]}],
        "Timestamp": now,
        "Value": max(0.0, now.timestamp() - min(sent)) if sent else 0.0,
        "Unit": "Seconds",
    }
