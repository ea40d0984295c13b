"""Uploads: bucket -> queue -> `functions.documents`."""

from aws_cdk import CfnOutput, Duration, Size, Stack
from constructs import Construct

from infra.deployment import Deployment
from infra.function import BackendFunction
from infra.layers import Layers
from infra.queues import ParkingQueue
from infra.stacks.realtime import RealtimeStack
from infra.uploads import UploadBucket


class IngestionStack(Stack):
    """A file that is put into the bucket is parsed, chunked, embedded and indexed; nothing else starts that."""

    def __init__(self, scope: Construct, id_: str, *, deployment: Deployment, realtime: RealtimeStack) -> None:
        environment = deployment.environment
        super().__init__(scope, id_, stack_name=environment.named("ingestion"))
        timeout = Duration.minutes(5)
        self.uploads = ParkingQueue(self, "Uploads", environment=environment, name="uploads", timeout=timeout)
        self.bucket = UploadBucket(self, "Bucket", environment=environment, queue=self.uploads.queue)
        self.function = BackendFunction(
            self,
            "Documents",
            deployment=deployment,
            name="documents",
            layers=Layers(self, "Layers", bundles=deployment.bundles),
            dependencies=["core", "models", "parsing"],
            timeout=timeout,
            scratch_space=Size.mebibytes(1_024),
            variables={
                "REALTIME_CALLBACK_URL": realtime.callback_url,
                "UPLOADS_QUEUE_URL": self.uploads.queue.queue_url,
            },
            secrets=["DATABASE_SECRET_ARN", "QDRANT_API_KEY_SECRET_ARN", "PROVIDER_KEYS_SECRET_ARN"],
        )
        self.uploads.trigger(self.function, batch_size=1, concurrency=environment.traffic.document_concurrency)
        self.uploads.queue.grant_send_messages(self.function.function)  # to go on in another call
        self.function.may_use_uploads(
            self.bucket,
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
        )
        realtime.let_push(self.function)
        CfnOutput(self, "UploadsBucket", value=self.bucket.name)
        CfnOutput(self, "UploadsQueueUrl", value=self.uploads.queue.queue_url)
        CfnOutput(self, "DeadLetterQueueUrl", value=self.uploads.parked.queue_url)
