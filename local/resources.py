"""The AWS resources of the local stack, as `infra` declares them for the cloud; making them again changes nothing."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.services import Aws
from local.services.aws import emulator_session

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_TRIES = 5
VISIBILITY_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Resources:
    """What the functions are told of."""

    bucket: str
    uploads_queue_url: str
    dead_letter_queue_url: str
    turns_queue_url: str
    kms_key_id: str


def make_resources(aws: Aws, prefix: str = "chatconnect-local") -> Resources:
    """Make the bucket, its queues and notification, and the key."""
    session = emulator_session()
    sqs = session.client("sqs", endpoint_url=aws.url)
    parked = sqs.create_queue(QueueName=f"{prefix}-parked")["QueueUrl"]
    uploads = _queue(sqs, f"{prefix}-uploads", parked)
    turns = _queue(sqs, f"{prefix}-turns", sqs.create_queue(QueueName=f"{prefix}-turns-parked")["QueueUrl"])
    s3 = session.client("s3", endpoint_url=aws.url)
    bucket = f"{prefix}-uploads"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_cors(
        Bucket=bucket,
        CORSConfiguration={
            "CORSRules": [{"AllowedMethods": ["POST"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*"]}]
        },
    )
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": _arn(sqs, uploads), "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    kms = session.client("kms", endpoint_url=aws.url)
    alias = f"alias/{prefix}"
    known = {entry["AliasName"]: entry.get("TargetKeyId", "") for entry in kms.list_aliases()["Aliases"]}
    key_id = known.get(alias)
    if not key_id:
        key_id = kms.create_key(Description="Tenants' access tokens")["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=alias, TargetKeyId=key_id)
    return Resources(bucket, uploads, parked, turns, key_id)


def _queue(sqs: "SQSClient", name: str, parked: str) -> str:
    redrive = json.dumps({"deadLetterTargetArn": _arn(sqs, parked), "maxReceiveCount": MAX_TRIES})
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": str(VISIBILITY_SECONDS)}
    )
    return url


def _arn(sqs: "SQSClient", url: str) -> str:
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
