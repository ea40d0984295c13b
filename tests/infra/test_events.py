"""Uploads, queues, schedules, sockets; and that somebody hears of it when they fail."""

import json
from typing import Any

import pytest

from tests.infra.conftest import Assembly


def test_a_message_stays_hidden_for_six_times_the_functions_timeout(prod: Assembly) -> None:
    for queue, function in (("uploads", "documents"), ("turns", "jobs")):
        timeout = prod.one("AWS::Lambda::Function", FunctionName=f"chatconnect-prod-{function}").properties["Timeout"]
        hidden = prod.one("AWS::SQS::Queue", QueueName=f"chatconnect-prod-{queue}").properties["VisibilityTimeout"]

        assert hidden >= 6 * timeout


def test_one_bad_message_does_not_repeat_its_batch(prod: Assembly) -> None:
    mappings = prod.all("AWS::Lambda::EventSourceMapping")

    assert len(mappings) == 2
    for mapping in mappings:
        assert mapping.properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping.properties["ScalingConfig"]["MaximumConcurrency"] >= 2


@pytest.mark.parametrize("name", ["uploads", "turns"])
def test_a_message_that_keeps_failing_is_parked(prod: Assembly, name: str) -> None:
    queue = prod.one("AWS::SQS::Queue", QueueName=f"chatconnect-prod-{name}")
    parked = prod.one("AWS::SQS::Queue", QueueName=f"chatconnect-prod-{name}-parked")

    assert queue.properties["RedrivePolicy"]["maxReceiveCount"] == 5
    assert parked.id in json.dumps(queue.properties["RedrivePolicy"])
    assert parked.properties["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_every_queue_is_encrypted(prod: Assembly) -> None:
    for queue in prod.all("AWS::SQS::Queue"):
        assert queue.properties["SqsManagedSseEnabled"] is True, queue.id


def test_the_upload_bucket_is_private_and_takes_forms_from_browsers(prod: Assembly) -> None:
    bucket = prod.one("AWS::S3::Bucket", stack="Ingestion").properties

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["CorsConfiguration"]["CorsRules"][0]["AllowedMethods"] == ["POST"]
    assert bucket["VersioningConfiguration"]["Status"] == "Enabled"
    assert bucket["LifecycleConfiguration"]["Rules"][0]["Status"] == "Enabled"
    assert "BucketEncryption" in bucket


def test_archives_of_data_requests_end_by_themselves(prod: Assembly) -> None:
    bucket = prod.one("AWS::S3::Bucket", stack="Ingestion").properties

    [rule] = [rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule.get("Prefix") == "exports/"]

    assert (rule["ExpirationInDays"], rule["NoncurrentVersionExpiration"]["NoncurrentDays"]) == (9, 1)


@pytest.mark.parametrize("job", ["data-requests", "retention"])
def test_data_is_erased_and_kept_by_the_clock_with_signed_receipts(prod: Assembly, job: str) -> None:
    schedule = prod.one("AWS::Scheduler::Schedule", Name=f"chatconnect-prod-{job}").properties
    jobs = prod.one("AWS::Lambda::Function", FunctionName="chatconnect-prod-jobs").properties

    assert json.loads(schedule["Target"]["Input"]) == {"job": job}
    assert "SIGNING_SECRET_ARN" in jobs["Environment"]["Variables"]


def test_only_a_new_object_starts_ingestion(prod: Assembly) -> None:
    uploads = prod.one("AWS::SQS::Queue", QueueName="chatconnect-prod-uploads")
    bucket = prod.one("AWS::S3::Bucket", stack="Ingestion").properties

    announced = bucket["NotificationConfiguration"]["QueueConfigurations"]

    assert [a["Event"] for a in announced] == ["s3:ObjectCreated:*"]
    assert announced[0]["Queue"] == {"Fn::GetAtt": [uploads.id, "Arn"]}


def test_reconcile_runs_by_the_clock(prod: Assembly) -> None:
    schedule = prod.one("AWS::Scheduler::Schedule", Name="chatconnect-prod-reconcile").properties

    assert json.loads(schedule["Target"]["Input"]) == {"job": "reconcile"}
    assert "DeadLetterConfig" in schedule["Target"]


def test_what_a_former_master_key_sealed_is_sealed_anew_by_the_clock(prod: Assembly) -> None:
    schedule = prod.one("AWS::Scheduler::Schedule", Name="chatconnect-prod-reseal").properties

    assert json.loads(schedule["Target"]["Input"]) == {"job": "reseal"}


def test_the_move_to_another_embedding_model_goes_on_by_the_clock(prod: Assembly) -> None:
    schedule = prod.one("AWS::Scheduler::Schedule", Name="chatconnect-prod-reembed").properties

    assert json.loads(schedule["Target"]["Input"]) == {"job": "reembed"}
    assert schedule["ScheduleExpression"] == "rate(15 minutes)"


def test_every_function_knows_the_wanted_embedding_model(prod: Assembly) -> None:
    for name in ("chat", "config", "documents", "jobs"):
        [function] = [each for each in prod.functions() if each.properties["FunctionName"].endswith(f"-{name}")]
        variables = function.properties["Environment"]["Variables"]
        assert (variables["EMBEDDING_MODEL"], variables["EMBEDDING_DIMENSIONS"]) == ("text-embedding-3-small", "1536")


def test_sockets_have_their_three_routes(prod: Assembly) -> None:
    routes = {route.properties["RouteKey"] for route in prod.all("AWS::ApiGatewayV2::Route")}

    assert routes == {"$connect", "$disconnect", "$default"}


def test_the_token_of_a_connection_is_in_no_log(prod: Assembly) -> None:
    stage = prod.one("AWS::ApiGatewayV2::Stage").properties
    logged = json.loads(stage["AccessLogSettings"]["Format"])

    assert not any("query" in str(value).lower() or "path" in str(value).lower() for value in logged.values())
    assert not stage.get("DefaultRouteSettings", {}).get("DataTraceEnabled", False)


@pytest.mark.parametrize("name", ["documents", "jobs", "config", "realtime"])
def test_who_tells_something_live_may_push_to_the_connections_and_knows_where(prod: Assembly, name: str) -> None:
    function = prod.one("AWS::Lambda::Function", FunctionName=f"chatconnect-prod-{name}")
    push = prod.one("AWS::IAM::ManagedPolicy", Description="Send to open connections").properties["PolicyDocument"]

    assert "REALTIME_CALLBACK_URL" in function.properties["Environment"]["Variables"]
    assert [statement["Action"] for statement in push["Statement"]] == ["execute-api:ManageConnections"]


@pytest.mark.parametrize("name", ["Documents", "Jobs", "Config"])
def test_who_removes_files_may_list_their_versions(prod: Assembly, name: str) -> None:
    allowed = {
        action
        for policy in prod.all("AWS::IAM::Policy")
        if policy.id.startswith(name)
        for statement in policy.properties["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }

    assert allowed >= {"s3:ListBucket", "s3:ListBucketVersions", "s3:DeleteObjectVersion", "s3:PutObject"}


def test_uploads_that_were_given_up_are_looked_at_every_minute(prod: Assembly) -> None:
    schedule = prod.one("AWS::Scheduler::Schedule", Name="chatconnect-prod-parked").properties

    assert json.loads(schedule["Target"]["Input"]) == {"job": "parked"}
    assert (schedule["ScheduleExpression"], schedule["FlexibleTimeWindow"]["Mode"]) == ("rate(1 minute)", "OFF")


def test_every_function_keeps_logs_for_a_time_and_has_alarms(prod: Assembly) -> None:
    logs = {group.id: group.properties for group in prod.all("AWS::Logs::LogGroup")}
    alarms = json.dumps([alarm.properties["AlarmName"] for alarm in prod.all("AWS::CloudWatch::Alarm")])

    assert len(prod.functions()) == 7
    for function in prod.functions():
        title = function.properties["FunctionName"].removeprefix("chatconnect-prod-").title().replace("_", "")
        assert logs[function.properties["LoggingConfig"]["LogGroup"]["Ref"]]["RetentionInDays"] == 365
        assert f"chatconnect-prod-{title}Errors" in alarms
        assert f"chatconnect-prod-{title}Throttles" in alarms


def test_every_alarm_reaches_the_operators_topic(prod: Assembly) -> None:
    topic = prod.one("AWS::SNS::Topic")
    alarms = {alarm.properties["AlarmName"]: alarm.properties["AlarmActions"] for alarm in
              prod.all("AWS::CloudWatch::Alarm")}  # fmt: skip

    assert all(actions == [{"Ref": topic.id}] for actions in alarms.values())
    for name in ("ApiServerErrors", "AnswerLatency", "StreamErrors", "UploadsAge", "UploadsParkedNotEmpty",
                 "TurnsParkedNotEmpty", "MissedRunsNotEmpty", "DatabaseCpu"):  # fmt: skip
        assert f"chatconnect-prod-{name}" in alarms


def test_a_stream_that_fails_after_its_first_byte_is_noticed(prod: Assembly) -> None:
    pattern = '{ ($.message = "turn") && ($.error_code = "*") }'

    assert alarmed(prod, "StreamErrors") == pattern


def test_a_tenant_whose_data_could_not_be_removed_or_exported_is_noticed(prod: Assembly) -> None:
    job = '(($.job = "data-requests") || ($.job = "retention"))'

    assert alarmed(prod, "DataDutiesFailed") == f'{{ ($.message = "job done") && {job} && ($.failed > 0) }}'


def alarmed(prod: Assembly, name: str) -> Any:
    """The log lines of which an alarm tells."""
    alarm = prod.one("AWS::CloudWatch::Alarm", AlarmName=f"chatconnect-prod-{name}").properties
    [pattern] = [
        each.properties["FilterPattern"]
        for each in prod.all("AWS::Logs::MetricFilter")
        if each.properties["MetricTransformations"][0]["MetricName"] == alarm["MetricName"]
    ]
    return pattern
