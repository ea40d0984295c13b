"""SQS: what could not be done to its end waits in queues, and queues tell how full they are."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from urllib.parse import quote_plus, unquote_plus

from pydantic import TypeAdapter

from chatconnect.adapters.aws import aws_errors, call
from chatconnect.domain.conversation import Turn
from chatconnect.domain.errors import Unavailable
from chatconnect.ports.health import QueueState

_TURN = TypeAdapter(Turn)
_LOOK_SECONDS = 60
_WAIT_SECONDS = 1  # so that every server of a queue is asked and not a few
_LATELY = timedelta(minutes=10)


class SqsTurns:
    """Where turns wait that could not be written."""

    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url

    async def put(self, turn: Turn) -> None:
        """Keep the turn until it can be written. Raises Unavailable."""
        body = _TURN.dump_json(turn).decode()
        with aws_errors("the turn queue"):
            await call("sqs", "send_message", QueueUrl=self._queue_url, MessageBody=body)


def turn_of(body: str) -> Turn:
    """Return the turn that a queue message holds. Raises pydantic.ValidationError."""
    return _TURN.validate_json(body)


class SqsContinuations:
    """Puts uploads that were not read to their end into the queue that announces uploads, in S3's own form."""

    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url

    async def put(self, key: str, sequencer: str) -> None:
        """Announce the upload again. Raises Unavailable."""
        place = {"object": {"key": quote_plus(key, safe="/"), "sequencer": sequencer}}
        body = json.dumps({"Records": [{"eventName": "ObjectCreated:Continued", "s3": place}]})
        with aws_errors("the upload queue"):
            await call("sqs", "send_message", QueueUrl=self._queue_url, MessageBody=body)


class SqsParkedUploads:
    """The queue of messages that failed too often, and the one that they came from."""

    def __init__(self, parked_url: str, queue_url: str) -> None:
        self._parked_url, self._queue_url = parked_url, queue_url

    async def redrive(self) -> int:
        """Put every parked message back and return how many. One that is interrupted may be there twice.

        Raises Unavailable.
        """
        moved = 0
        with aws_errors("the upload queue"):
            while messages := await self._some():
                for message in messages:
                    await call("sqs", "send_message", QueueUrl=self._queue_url, MessageBody=message["Body"])
                    receipt = message["ReceiptHandle"]
                    await call("sqs", "delete_message", QueueUrl=self._parked_url, ReceiptHandle=receipt)
                    moved += 1
        return moved

    async def look(self, *, most: int) -> Sequence[tuple[str, str]]:
        """Return key and sequencer of the uploads that parked messages tell of, about `most`. They stay.

        Those that were looked at are out of a redrive's sight for a moment. Raises Unavailable.
        """
        if (await SqsQueue(self._parked_url).depth())[0] == 0:
            return []
        seen: dict[str, dict[str, str]] = {}
        with aws_errors("the upload queue"):
            while len(seen) < most and (messages := await self._some(VisibilityTimeout=_LOOK_SECONDS)):
                seen |= {message["MessageId"]: message for message in messages}
            for message in seen.values():
                await call(
                    "sqs", "change_message_visibility", QueueUrl=self._parked_url,
                    ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0,
                )  # fmt: skip
        return [upload for message in seen.values() for upload in _announced(message["Body"])]

    async def _some(self, **options: int) -> list[dict[str, str]]:
        answer = await call(
            "sqs",
            "receive_message",
            QueueUrl=self._parked_url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=_WAIT_SECONDS,
            **options,
        )
        messages: list[dict[str, str]] = answer.get("Messages", [])
        return messages


class SqsQueue:
    """How full a queue is."""

    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url

    async def state(self) -> QueueState:
        """Return how much waits and is being worked on, and how old the oldest of it is. Raises Unavailable."""
        waiting, working = await self.depth()
        return QueueState(waiting, working, await self._oldest_seconds() if waiting + working else 0)

    async def depth(self) -> tuple[int, int]:
        """Return how many messages wait and are being worked on. Raises Unavailable."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with aws_errors("the queue"):
            answer = await call("sqs", "get_queue_attributes", QueueUrl=self._queue_url, AttributeNames=names)
        waiting, working = (int(answer["Attributes"].get(name, 0)) for name in names)
        return waiting, working

    async def _oldest_seconds(self) -> int | None:
        """Return the age that SQS last told CloudWatch, which it does every minute; nobody else knows it."""
        now = datetime.now(UTC)
        try:
            with aws_errors("the metrics"):
                answer = await call(
                    "cloudwatch", "get_metric_statistics", Namespace="AWS/SQS",
                    MetricName="ApproximateAgeOfOldestMessage", StartTime=now - _LATELY, EndTime=now, Period=60,
                    Dimensions=[{"Name": "QueueName", "Value": self._queue_url.rpartition("/")[2]}],
                    Statistics=["Maximum"],
                )  # fmt: skip
        except Unavailable:
            return None
        points = sorted(answer["Datapoints"], key=itemgetter("Timestamp"))
        return round(points[-1]["Maximum"]) if points else None


def _announced(body: str) -> list[tuple[str, str]]:
    """Return key and sequencer of the uploads that a message of the bucket tells of; none when it cannot be read."""
    try:
        objects = [record["s3"]["object"] for record in json.loads(body)["Records"]]
        return [(unquote_plus(each["key"]), str(each.get("sequencer", ""))) for each in objects]
    except (ValueError, LookupError, TypeError, AttributeError):
        return []
