"""SQS: what could not be done to its end waits in queues, and queues tell how full they are."""

import json
from urllib.parse import quote_plus

from pydantic import TypeAdapter

from chatconnect.adapters.aws import aws_errors, call
from chatconnect.domain.conversation import Turn
from chatconnect.ports.health import QueueState

_TURN = TypeAdapter(Turn)


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

    async def _some(self) -> list[dict[str, str]]:
        # It waits, so that every server of the queue is asked and not a few.
        answer = await call(
            "sqs", "receive_message", QueueUrl=self._parked_url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        )
        messages: list[dict[str, str]] = answer.get("Messages", [])
        return messages


class SqsQueue:
    """How full a queue is."""

    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url

    async def state(self) -> QueueState:
        """Return how much waits and is being worked on. Raises Unavailable."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with aws_errors("the queue"):
            answer = await call("sqs", "get_queue_attributes", QueueUrl=self._queue_url, AttributeNames=names)
        waiting, working = (int(answer["Attributes"].get(name, 0)) for name in names)
        return QueueState(waiting, working)
