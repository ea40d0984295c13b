"""boto3 clients: made at first use, once, and called in threads."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from chatconnect.domain.errors import Unavailable

# Two tries and the pause between them take seven seconds at most, whatever hangs.
_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 2, 3, 2


@cache
def client(service: str, endpoint_url: str | None = None) -> Any:
    """Return this process's client for an AWS service; its address can be moved with AWS_ENDPOINT_URL.

    `endpoint_url` is the address of a service that has one per resource.
    """
    from boto3 import Session
    from botocore.config import Config

    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        signature_version="s3v4" if service == "s3" else None,
    )
    make: Any = Session().client  # the service's name is a variable, which the typed overloads cannot follow
    return make(service, config=config, endpoint_url=endpoint_url)


async def call(service: str, operation: str, /, *arguments: Any, **parameters: Any) -> Any:
    """Run an operation of an AWS service in a thread, where the client is also made. Wrap it in `aws_errors`."""
    return await asyncio.to_thread(lambda: getattr(client(service), operation)(*arguments, **parameters))


async def call_at(endpoint_url: str, service: str, operation: str, **parameters: Any) -> Any:
    """Run an operation as `call` does, of a service that has an address per resource."""
    return await asyncio.to_thread(lambda: getattr(client(service, endpoint_url), operation)(**parameters))


@contextmanager
def aws_errors(dependency: str) -> Iterator[None]:
    """Turn what botocore raises into Unavailable; what means something is caught before."""
    try:
        yield
    except Exception as error:
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, BotoCoreError | ClientError):
            raise Unavailable(dependency) from error
        raise


def error_code(error: Exception) -> str | None:
    """Return the code of an error that AWS answered with, None for any other."""
    answer = getattr(error, "response", None)
    return answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
