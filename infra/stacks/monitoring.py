"""Alarms, and the page to look at when one goes off."""

from collections.abc import Sequence

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.environments import Environment
from infra.function import BackendFunction
from infra.queues import ParkingQueue
from infra.stacks.api import ApiStack
from infra.stacks.ingestion import IngestionStack
from infra.stacks.jobs import JobsStack
from infra.stacks.realtime import RealtimeStack

_FIVE_MINUTES = Duration.minutes(5)


class MonitoringStack(Stack):
    """Every alarm notifies one topic; subscribe to it by mail or from an on-call tool."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        api: ApiStack,
        ingestion: IngestionStack,
        jobs: JobsStack,
        realtime: RealtimeStack,
        database: rds.DatabaseCluster | None,
        others: Sequence[BackendFunction] = (),
    ) -> None:
        super().__init__(scope, id_, stack_name=environment.named("monitoring"))
        self._environment = environment
        self._limits = environment.thresholds
        self.topic = self._topic()
        self._dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=environment.named("overview"))
        self._watch_api(api)
        for function in (api.chat, api.config, api.widget_config, ingestion.function, realtime.function,
                         jobs.function, *others):  # fmt: skip
            self._watch_function(function)
        self._watch_queue("Uploads", ingestion.uploads)
        self._watch_queue("Turns", jobs.turns)
        self._not_empty("MissedRuns", jobs.missed)
        failed = self._failed_duties(jobs.function)
        self._alarm("DataDutiesFailed", failed, 1, "an export, an erasure or a tenant's retention could not be done")
        if database is not None:
            self._watch_database(database)
        CfnOutput(self, "AlarmTopic", value=self.topic.topic_arn)

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(self, "Alarms", topic_name=self._environment.named("alarms"), enforce_ssl=True)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        return topic

    def _watch_api(self, api: ApiStack) -> None:
        errors = api.api.metric_server_error(period=_FIVE_MINUTES, statistic="sum")
        latency = api.api.metric_latency(period=_FIVE_MINUTES, statistic="p95")
        self._alarm("ApiServerErrors", errors, self._limits.server_errors, "the API answers 5xx")
        answer = api.chat.invoked.metric_duration(period=_FIVE_MINUTES, statistic="p95")
        self._alarm(
            "AnswerLatency", answer, self._limits.answer_latency.to_milliseconds(), "answers take long", periods=3
        )
        request = api.config.invoked.metric_duration(period=_FIVE_MINUTES, statistic="p95")
        self._alarm(
            "RequestLatency", request, self._limits.request_latency.to_milliseconds(), "requests take long", periods=3
        )
        stream_errors = self._failed_streams(api.chat)
        self._alarm("StreamErrors", stream_errors, self._limits.server_errors, "streams end in an error event")
        self._chart("API", [api.api.metric_count(), errors], [latency, answer])

    def _failed_streams(self, chat: BackendFunction) -> cloudwatch.Metric:
        """A stream that fails has begun with status 200, so only the function's own log line tells."""
        failed = logs.FilterPattern.all(
            logs.FilterPattern.string_value("$.message", "=", "turn"),
            logs.FilterPattern.string_value("$.error_code", "=", "*"),
        )
        return self._logged("FailedStreams", chat, failed, name="failed-streams")

    def _failed_duties(self, jobs: BackendFunction) -> cloudwatch.Metric:
        """A run that fails for one tenant goes on with the others and ends well; its log line tells how often."""
        text = logs.FilterPattern.string_value
        failed = logs.FilterPattern.all(
            text("$.message", "=", "job done"),
            logs.FilterPattern.any(text("$.job", "=", "data-requests"), text("$.job", "=", "retention")),
            logs.FilterPattern.number_value("$.failed", ">", 0),
        )
        return self._logged("FailedDuties", jobs, failed, name="failed-data-duties")

    def _logged(
        self, id_: str, function: BackendFunction, pattern: logs.IFilterPattern, *, name: str
    ) -> cloudwatch.Metric:
        """How many lines of a function's log are of this pattern."""
        found = logs.MetricFilter(
            self,
            id_,
            log_group=function.log_group,
            filter_pattern=pattern,
            metric_namespace="ChatConnect",
            metric_name=self._environment.named(name),
        )
        return found.metric(period=_FIVE_MINUTES, statistic="sum")

    def _watch_function(self, function: BackendFunction) -> None:
        title = function.name.title().replace("_", "")
        errors = function.function.metric_errors(period=_FIVE_MINUTES)
        throttles = function.function.metric_throttles(period=_FIVE_MINUTES)
        self._alarm(f"{title}Errors", errors, self._limits.function_errors, f"{function.name} fails")
        self._alarm(f"{title}Throttles", throttles, 1, f"{function.name} is throttled", periods=2)
        duration = function.function.metric_duration(period=_FIVE_MINUTES, statistic="p95")
        self._chart(function.name, [function.function.metric_invocations(), errors, throttles], [duration])

    def _watch_queue(self, title: str, queue: ParkingQueue) -> None:
        age = queue.queue.metric_approximate_age_of_oldest_message(period=_FIVE_MINUTES, statistic="max")
        waiting = queue.queue.metric_approximate_number_of_messages_visible(period=_FIVE_MINUTES)
        self._alarm(f"{title}Age", age, self._limits.queue_age.to_seconds(), f"{title} waits long")
        parked = self._not_empty(f"{title}Parked", queue.parked)
        self._chart(f"Queue: {title}", [waiting, parked], [age])

    def _not_empty(self, title: str, queue: sqs.Queue) -> cloudwatch.Metric:
        messages = queue.metric_approximate_number_of_messages_visible(period=_FIVE_MINUTES, statistic="max")
        self._alarm(f"{title}NotEmpty", messages, 1, f"{title}: work was given up")
        return messages

    def _watch_database(self, database: rds.DatabaseCluster) -> None:
        cpu = database.metric_cpu_utilization(period=_FIVE_MINUTES)
        capacity = database.metric_serverless_database_capacity(period=_FIVE_MINUTES)
        connections = database.metric_database_connections(period=_FIVE_MINUTES)
        utilization = database.metric_acu_utilization(period=_FIVE_MINUTES)
        self._alarm("DatabaseCpu", cpu, self._limits.database_cpu_percent, "Postgres is busy", periods=3)
        self._alarm("DatabaseCapacity", utilization, 90, "Postgres is at its largest size", periods=3)
        self._chart("Postgres", [capacity, connections], [cpu])

    def _alarm(
        self, title: str, metric: cloudwatch.IMetric, threshold: float, meaning: str, *, periods: int = 1
    ) -> None:
        alarm = cloudwatch.Alarm(
            self,
            title,
            alarm_name=self._environment.named(title),
            alarm_description=f"ChatConnect {self._environment.name}: {meaning}.",
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))

    def _chart(self, title: str, counts: list[cloudwatch.IMetric], others: list[cloudwatch.IMetric]) -> None:
        self._dashboard.add_widgets(cloudwatch.GraphWidget(title=title, left=counts, right=others, width=12))
