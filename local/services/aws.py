"""AWS: ministack, which emulates it on one port, without Docker and without an account."""

import sys
from collections.abc import Mapping, Sequence

import boto3

from local.services.process import HOST, Service, http_ok

REGION = "us-east-1"
_KEY = "test"  # any will do


def client_environment(url: str) -> dict[str, str]:
    """Return what boto3, the CDK and the AWS command line need to find the emulator at an address."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": _KEY,
        "AWS_SECRET_ACCESS_KEY": _KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }


def emulator_session() -> boto3.Session:
    """Return a session whose clients the emulator lets in, whatever the environment says; they need its address."""
    return boto3.Session(aws_access_key_id=_KEY, aws_secret_access_key=_KEY, region_name=REGION)


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
        """The variables by which its clients find it."""
        return client_environment(self.url)

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
