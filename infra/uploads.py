"""The bucket that documents are uploaded to."""

from collections.abc import Sequence
from typing import cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.environments import Environment
from infra.nag import acknowledge

ARCHIVES_TOO = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:AbortMultipartUpload",
)
"""What a function does to objects that also writes archives of data, in parts, and removes them with all versions."""


class UploadBucket(Construct):
    """Where browsers put files with a presigned form; each new object is announced to `queue`."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        queue: sqs.Queue,
    ) -> None:
        super().__init__(scope, id_)
        stack = Stack.of(self)
        self.name = f"{environment.named('uploads')}-{stack.account}-{stack.region}"
        self.arn = f"arn:{stack.partition}:s3:::{self.name}"
        self.objects = f"{self.arn}/*"
        self.bucket = s3.Bucket(
            self,
            "Uploads",
            bucket_name=self.name,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            versioned=True,
            cors=[_FORM_UPLOADS],
            lifecycle_rules=_lifecycle(),
            removal_policy=environment.removal_policy,
            auto_delete_objects=not (environment.keep_data or environment.is_local),
        )
        acknowledge(self.bucket, {"AwsSolutions-S1": "Uploads are in the product's own audit log."})
        self._announce(queue)

    def _announce(self, queue: sqs.Queue) -> None:
        """Written into the bucket itself: CDK's own way brings a function with rights on every bucket."""
        allowed = queue.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("s3.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        resource = cast("s3.CfnBucket", self.bucket.node.default_child)
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(event="s3:ObjectCreated:*", queue=queue.queue_arn)
            ]
        )
        if allowed.policy_dependable is not None:
            resource.node.add_dependency(allowed.policy_dependable)


_FORM_UPLOADS = s3.CorsRule(
    allowed_methods=[s3.HttpMethods.POST],
    allowed_origins=["*"],  # the form is signed; dashboards have any address
    allowed_headers=["*"],
    exposed_headers=["ETag"],
    max_age=3_000,
)


def _lifecycle() -> Sequence[s3.LifecycleRule]:
    return [
        s3.LifecycleRule(
            noncurrent_version_expiration=Duration.days(30),
            abort_incomplete_multipart_upload_after=Duration.days(1),
            transitions=[
                s3.Transition(storage_class=s3.StorageClass.INTELLIGENT_TIERING, transition_after=Duration.days(30))
            ],
        ),
        # Archives of data requests are removed by the job after a week; this is for what it could not remove.
        s3.LifecycleRule(
            prefix="exports/", expiration=Duration.days(9), noncurrent_version_expiration=Duration.days(1)
        ),
    ]
