"""Consumes the queues as Lambda's event source mappings do: batches in, only what was done is deleted.

Run as `python -m local.worker`; the functions' settings come from the environment.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chatconnect.domain.errors import Caught
from local.queue_ages import report_ages

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

_WAIT_SECONDS = 2
_REST_SECONDS = 1.0
_BATCH = 1  # as in infra: one upload at a time
_LOOK_SECONDS = 5.0  # between two looks at the messages that were given up
_RETRY_SECONDS = 5  # a failed message comes again this soon, so that a developer need not wait for the whole timeout


class Context:
    """The part of Lambda's context object that handlers use."""

    function_name = "local"
    memory_limit_in_mb = 1769
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:local"
    aws_request_id = "local"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left, in milliseconds; here there is no limit."""
        return 300_000


def main() -> None:
    """Consume until asked to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready", type=Path, required=True, help="this file appears when the queues are listened to")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Handlers keep one event loop when they believe to be in Lambda, as there.
    os.environ.setdefault("LAMBDA_TASK_ROOT", str(Path.cwd()))
    from functions.documents.handler import handler as documents
    from functions.jobs.handler import handler as jobs

    sqs = boto3.client("sqs")
    report_ages(
        os.environ["AWS_ENDPOINT_URL"],
        [os.environ[f"{name}_QUEUE_URL"] for name in ("UPLOADS", "DEAD_LETTER", "TURNS")],
    )
    queues: dict[str, Handler] = {os.environ["UPLOADS_QUEUE_URL"]: documents, os.environ["TURNS_QUEUE_URL"]: jobs}
    arguments.ready.touch()
    look_at = 0.0
    while True:
        if time.monotonic() >= look_at:
            look_at = time.monotonic() + _LOOK_SECONDS
            for job in ("parked", "data-requests"):
                run_job(jobs, job)
        for url, handler in queues.items():
            try:
                consume(sqs, url, handler)
            except (BotoCoreError, ClientError) as error:
                print(f"queue {url}: {type(error).__name__}", flush=True)
                time.sleep(_REST_SECONDS)


def run_job(jobs: Handler, name: str) -> None:
    """Run a job that the clock runs on AWS; one that fails is run again next time."""
    with Caught(lambda fault: print(f"job {name}: {type(fault).__name__}", flush=True)):
        jobs({"job": name}, Context())


def consume(sqs: "SQSClient", url: str, handler: Handler) -> int:
    """Take one batch, hand it over, delete what was done; return how many messages there were."""
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=_BATCH,
        WaitTimeSeconds=_WAIT_SECONDS if "uploads" in url else 0,
        MessageSystemAttributeNames=["All"],
    )
    messages = answer.get("Messages", [])
    if not messages:
        return 0
    event = {"Records": [as_record(message, url) for message in messages]}
    failed = {item["itemIdentifier"] for item in handler(event, Context()).get("batchItemFailures", [])}
    for message in messages:
        if message["MessageId"] in failed:
            sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=_RETRY_SECONDS
            )
        else:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return len(messages)


def as_record(message: "MessageTypeDef", queue_url: str) -> dict[str, Any]:
    """Return an SQS message as Lambda hands it to a function."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{queue_url.rpartition('/')[2]}",
        "awsRegion": "us-east-1",
    }


if __name__ == "__main__":
    main()
