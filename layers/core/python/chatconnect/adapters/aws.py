"""boto3 clients: made at first use, once, and called in threads."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, ParamSpec, TypeVar

from chatconnect.domain.errors import Unavailable

P = ParamSpec("P")
R = TypeVar("R")

_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 3, 8, 3


@cache
def client(service: str) -> Any:
    """Return this process's client for an AWS service; its address can be moved with AWS_ENDPOINT_URL."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        signature_version="s3v4" if service == "s3" else None,
    )
    return boto3.client(service, config=config)


async def call(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Run a blocking call in a thread. Errors pass as they are: wrap in `aws_errors`."""
    return await asyncio.to_thread(function, *args, **kwargs)


@contextmanager
def aws_errors(dependency: str) -> Iterator[None]:
    """Turn what botocore raises into Unavailable; what means something is caught before."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(dependency) from error
