"""Work by the clock, and the turns that could not be written when they ended."""

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.deployment import Deployment
from infra.environments import Environment
from infra.function import BackendFunction
from infra.layers import Layers
from infra.nag import acknowledge, wildcard
from infra.queues import ParkingQueue
from infra.stacks.ingestion import IngestionStack
from infra.stacks.realtime import RealtimeStack
from infra.uploads import ARCHIVES_TOO

# The `job` of the event -> when it runs.
SCHEDULE = {
    "data-requests": scheduler.ScheduleExpression.rate(Duration.minutes(5)),
    "parked": scheduler.ScheduleExpression.rate(Duration.minutes(1)),
    "reconcile": scheduler.ScheduleExpression.rate(Duration.hours(1)),
    # Longer than a run may take, so that no two of them embed the same.
    "reembed": scheduler.ScheduleExpression.rate(Duration.minutes(15)),
    "reseal": scheduler.ScheduleExpression.rate(Duration.hours(1)),
    "retention": scheduler.ScheduleExpression.rate(Duration.days(1)),
}
_PUNCTUAL = frozenset({"parked"})


class JobsStack(Stack):
    """`functions.jobs` is invoked with {"job": name} on a schedule, and with batches of the turns queue."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        deployment: Deployment,
        ingestion: IngestionStack,
        realtime: RealtimeStack,
    ) -> None:
        environment = deployment.environment
        super().__init__(scope, id_, stack_name=environment.named("jobs"))
        timeout = Duration.minutes(10)
        self.turns = ParkingQueue(self, "Turns", environment=environment, name="turns", timeout=timeout)
        self.function = BackendFunction(
            self,
            "Jobs",
            deployment=deployment,
            name="jobs",
            layers=Layers(self, "Layers", bundles=deployment.bundles),
            dependencies=["core", "models"],
            timeout=timeout,
            variables={
                "UPLOADS_QUEUE_URL": ingestion.uploads.queue.queue_url,
                "DEAD_LETTER_QUEUE_URL": ingestion.uploads.parked.queue_url,
                "REALTIME_CALLBACK_URL": realtime.callback_url,
            },
            secrets=[
                "DATABASE_SECRET_ARN",
                "QDRANT_API_KEY_SECRET_ARN",
                "PROVIDER_KEYS_SECRET_ARN",
                "SIGNING_SECRET_ARN",
            ],
        )
        self.turns.trigger(self.function, batch_size=10, concurrency=2)
        self.function.may_use_uploads(ingestion.bucket, *ARCHIVES_TOO)
        ingestion.uploads.queue.grant_send_messages(self.function.function)
        ingestion.uploads.parked.grant_consume_messages(self.function.function)
        self.function.may_use_tenant_key(deployment.data.tenant_key, seals=True)
        realtime.let_push(self.function)
        self.missed = self._missed_runs(environment)
        for job, expression in SCHEDULE.items():
            self._schedule(environment, job, expression)
        acknowledge(
            self, {wildcard(self, f"{self.function.function.function_arn}:*"): "CDK's schedules invoke any version."}
        )
        CfnOutput(self, "TurnsQueueUrl", value=self.turns.queue.queue_url)

    def _missed_runs(self, environment: Environment) -> sqs.Queue:
        """Runs that could not be started even after retries."""
        queue = sqs.Queue(
            self,
            "MissedRuns",
            queue_name=environment.named("missed-runs"),
            enforce_ssl=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            retention_period=Duration.days(14),
            removal_policy=environment.removal_policy,
        )
        acknowledge(queue, {"AwsSolutions-SQS3": "It is itself where undelivered runs end."})
        return queue

    def _schedule(self, environment: Environment, job: str, expression: scheduler.ScheduleExpression) -> None:
        scheduler.Schedule(
            self,
            f"Run{job.title()}",
            schedule_name=environment.named(job),
            schedule=expression,
            time_window=_window(job),
            target=targets.LambdaInvoke(
                self.function.invoked,
                input=scheduler.ScheduleTargetInput.from_object({"job": job}),
                dead_letter_queue=self.missed,
                retry_attempts=2,
                max_event_age=Duration.hours(1),
            ),
        )


def _window(job: str) -> scheduler.TimeWindow:
    return scheduler.TimeWindow.off() if job in _PUNCTUAL else scheduler.TimeWindow.flexible(Duration.minutes(5))
