"""AWS: ministack, which emulates it on one port, without Docker and without an account."""

import sys
from collections.abc import Mapping, Sequence

from local.services.process import HOST, Service, http_ok

REGION = "us-east-1"


class Aws(Service):
    """S3, SQS, Lambda, API Gateway, KMS, Secrets Manager and the rest.

    Objects in S3 are on disk as soon as they are written; everything else is saved when it is stopped, so
    that a killed one starts again with the objects, and with what else there was at its last stop.
    """

    name, variable = "aws", "AWS_PORT"

    @property
    def url(self) -> str:
        """The address to give to a client as its endpoint."""
        return f"http://{HOST}:{self.port}"

    @property
    def client_environment(self) -> dict[str, str]:
        """What boto3, the CDK and the AWS command line need to find it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        return [sys.executable, "-m", "ministack"]

    def environment(self) -> Mapping[str, str]:
        """Keep it on this machine's own address and in its own directory."""
        return {
            **self.client_environment,
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_HOST": HOST,
            "MINISTACK_REGION": REGION,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.data_dir / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.data_dir / "s3"),
            "TMPDIR": str(self.data_dir / "tmp"),  # the code of Lambda functions
            "LAMBDA_EXECUTOR": "local",
            "DOCKER_HOST": f"unix://{self.data_dir}/no-docker.sock",  # never touch containers that are not ours
            "SFTP_ENABLED": "0",  # these two would listen on ports of their own
            "IOT_MTLS_ENABLED": "0",
        }

    async def prepare(self) -> None:
        """Make the directory for temporary files."""
        (self.data_dir / "tmp").mkdir(parents=True, exist_ok=True)

    async def is_ready(self) -> bool:
        """Say whether it answers that it is ready."""
        return await http_ok(self.port, "/_ministack/health")
