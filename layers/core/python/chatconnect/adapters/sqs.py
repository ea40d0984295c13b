"""SQS: turns that could not be written wait in a queue, and queues tell how full they are."""

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
