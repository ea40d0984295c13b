"""The queues of uploads, on an AWS account in this process."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from chatconnect.adapters.sqs import SqsContinuations, SqsParkedUploads, SqsQueue

KEY = "tenant/document/version/Preise 2026 + Zubehör €.txt"


@pytest.fixture
def sqs(cloud: None) -> Any:
    return boto3.client("sqs")


@pytest.fixture
def parked_url(sqs: Any) -> str:
    url: str = sqs.create_queue(QueueName="parked")["QueueUrl"]
    return url


async def test_looking_at_parked_messages_leaves_them_where_they_are(
    sqs: Any, parked_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatconnect.adapters.sqs._WAIT_SECONDS", 0)  # this account has one server
    parked = SqsParkedUploads(parked_url, sqs.create_queue(QueueName="uploads")["QueueUrl"])
    await SqsContinuations(parked_url).put(KEY, "0055")
    for unreadable in ("no JSON", "[]", '{"Event":"s3:TestEvent"}', '{"Records":[{"s3":{"object":{}}}]}'):
        sqs.send_message(QueueUrl=parked_url, MessageBody=unreadable)

    looks = [await parked.look(most=100) for _ in range(2)]

    assert looks == [[(KEY, "0055")]] * 2
    assert await SqsQueue(parked_url).depth() == (5, 0)
    assert await parked.redrive() == 5


async def test_an_empty_queue_is_not_waited_for(sqs: Any, parked_url: str) -> None:
    assert await SqsParkedUploads(parked_url, parked_url).look(most=100) == []


async def test_the_age_is_what_was_last_told_of_it(sqs: Any, parked_url: str) -> None:
    queue, now = SqsQueue(parked_url), datetime.now(UTC)
    empty = await queue.state()
    sqs.send_message(QueueUrl=parked_url, MessageBody="x")
    untold = await queue.state()
    boto3.client("cloudwatch").put_metric_data(
        Namespace="AWS/SQS",
        MetricData=[
            {
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Dimensions": [{"Name": "QueueName", "Value": name}],
                "Timestamp": now - timedelta(minutes=minutes),
                "Value": age,
            }
            for name, minutes, age in (("parked", 3, 10.0), ("parked", 1, 130.0), ("other", 1, 999.0))
        ],
    )

    told = await queue.state()

    assert (empty.waiting, empty.oldest_seconds) == (0, 0)
    assert (untold.waiting, untold.oldest_seconds) == (1, None)
    assert (told.waiting, told.oldest_seconds) == (1, 130)
