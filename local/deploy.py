"""Deploys the application stacks of `local` onto the AWS emulator: the same app, the same assets, another address.

`python -m local.deploy` takes the addresses of the running embedded stack from `.local/dev.json`; arguments
replace them. What came out is printed and written to `.local/deploy.json`, or where LOCAL_STATE says.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.configuration import ROOT, addresses_file, state_directory
from local.services.aws import REGION, client_environment
from local.services.node import CDK, node

_ACCOUNT = "000000000000"

# What `make dev` calls an address -> the variable by which functions know it.
_ADDRESSES = {"postgres_url": "DATABASE_URL", "redis_url": "REDIS_URL", "qdrant_url": "QDRANT_URL"}


class DeploymentFailed(Exception):
    """The CDK stopped; what it printed is above."""


def deploy(endpoint: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Bootstrap the emulator at `endpoint` and deploy to it; return the outputs.

    `variables` are given to every function: at least DATABASE_URL, REDIS_URL and QDRANT_URL. The outputs are
    api_url, ws_url, bucket, uploads_queue_url, dead_letter_queue_url and turns_queue_url. Deploying again
    updates what has changed. Raises DeploymentFailed.
    """
    services = {"AWS_ENDPOINT_URL": endpoint, **variables}
    outputs = state_directory() / "cdk-outputs.json"
    outputs.parent.mkdir(parents=True, exist_ok=True)
    outputs.unlink(missing_ok=True)
    _cdk(endpoint, "bootstrap", f"aws://{_ACCOUNT}/{REGION}")
    _cdk(
        endpoint, "deploy", "--all", "--require-approval", "never", "--concurrency", "2",
        "--outputs-file", str(outputs), "--context", "env=local", "--context", f"data_services={json.dumps(services)}",
    )  # fmt: skip
    return _addresses(endpoint, json.loads(outputs.read_text()))


def _cdk(endpoint: str, *arguments: str) -> None:
    finished = subprocess.run(
        [
            str(node()), str(CDK), *arguments, "--app", f"{sys.executable} -m infra.app", "--progress", "events",
            "--output", str(state_directory() / "cdk.out"), "--no-notices",
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **client_environment(endpoint),
            "AWS_ENDPOINT_URL_S3": endpoint,
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        },
        check=False,
    )  # fmt: skip
    if finished.returncode != 0:
        raise DeploymentFailed(f"cdk {arguments[0]} ended with {finished.returncode}")


def _addresses(endpoint: str, outputs: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Translate AWS's host names, which nobody resolves here, into paths of the emulator."""
    found = {name: value for stack in outputs.values() for name, value in stack.items()}
    sockets = endpoint.replace("http", "ws", 1)
    return {
        "api_url": f"{endpoint}/restapis/{found['ApiId']}/local/_user_request_",
        "ws_url": f"{sockets}/_aws/execute-api/{found['RealtimeApiId']}/local",
        "bucket": found["UploadsBucket"],
        "uploads_queue_url": found["UploadsQueueUrl"],
        "dead_letter_queue_url": found["DeadLetterQueueUrl"],
        "turns_queue_url": found["TurnsQueueUrl"],
    }


def main() -> None:
    """Deploy to the running embedded stack and write `.local/deploy.json`."""
    parser = argparse.ArgumentParser(prog="python -m local.deploy", description=__doc__)
    parser.add_argument("--endpoint", help="address of the AWS emulator")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a variable of every function")
    arguments = parser.parse_args()
    state = addresses_file()
    running = json.loads(state.read_text()) if state.exists() else {}
    endpoint = arguments.endpoint or running.get("s3_endpoint")
    if not endpoint:
        parser.error("nothing is running: start `make dev`, or give --endpoint and --set")
    variables = {variable: running[key] for key, variable in _ADDRESSES.items() if key in running}
    variables |= dict(pair.split("=", 1) for pair in arguments.set)
    addresses = deploy(endpoint, variables)
    (state_directory() / "deploy.json").write_text(json.dumps(addresses, indent=2) + "\n")
    print(json.dumps(addresses, indent=2))


if __name__ == "__main__":
    main()
