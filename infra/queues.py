"""Queues in front of functions."""

from aws_cdk import Duration
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.environments import Environment
from infra.function import BackendFunction

_ATTEMPTS = 5  # then a message is parked


class ParkingQueue(Construct):
    """A queue in front of a function; a message that fails five times is parked in a second one.

    A message stays invisible for six times the function's timeout, so that throttled retries of the event
    source do not hand it out twice.
    """

    def __init__(self, scope: Construct, id_: str, *, environment: Environment, name: str, timeout: Duration) -> None:
        super().__init__(scope, id_)
        self.parked = sqs.Queue(
            self,
            "Parked",
            queue_name=environment.named(f"{name}-parked"),
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            retention_period=Duration.days(14),
            removal_policy=environment.removal_policy,
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=environment.named(name),
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            visibility_timeout=Duration.seconds(6 * timeout.to_seconds()),
            retention_period=Duration.days(4),
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=_ATTEMPTS, queue=self.parked),
            removal_policy=environment.removal_policy,
        )

    def trigger(self, function: BackendFunction, *, batch_size: int, concurrency: int) -> None:
        """Feed the function at most `concurrency` batches at a time; it reports which messages failed."""
        function.invoked.add_event_source(
            event_sources.SqsEventSource(
                self.queue, batch_size=batch_size, max_concurrency=concurrency, report_batch_item_failures=True
            )
        )
