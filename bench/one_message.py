"""The document function for one message of its queue: takes it, hands it to the real handler, says what it took."""

import json
import os
import resource
import time
from pathlib import Path
from typing import cast

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from local.worker import Context, as_record


def main() -> None:
    """Print the seconds of the handler, of each step, and of the processor, as one line of JSON."""
    os.environ["LAMBDA_TASK_ROOT"] = str(Path.cwd())  # one event loop for all messages, as in Lambda
    from functions.documents import handler as function

    steps: dict[str, float] = {}
    names = vars(function)
    record = names["record_ingestion"]

    def note(outcome: str, chunks: int, seconds: dict[str, float]) -> None:
        steps.update(seconds)
        record(outcome, chunks, seconds)

    names["record_ingestion"] = note
    sqs, url = boto3.client("sqs"), os.environ["UPLOADS_QUEUE_URL"]
    messages = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=10, MessageSystemAttributeNames=["All"]
    )["Messages"]
    begin = time.perf_counter()
    records = [as_record(message, url) for message in messages]
    answer = function.handler({"Records": records}, cast("LambdaContext", Context()))
    seconds = time.perf_counter() - begin
    if answer["batchItemFailures"]:
        raise SystemExit(f"failed: {answer}")
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(each.ru_utime + each.ru_stime for each in usage)
    print(json.dumps({"seconds": seconds, "steps": steps, "cpu_seconds": round(cpu, 2)}), flush=True)


if __name__ == "__main__":
    main()
