"""An AWS account in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chatconnect.adapters import aws


@contextmanager
def credentials(**variables: str) -> Iterator[None]:
    """Have clients made with credentials that mean nothing, and with more variables, and forgotten afterwards."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patched.setenv(name, "test")
        patched.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name, value in variables.items():
            patched.setenv(name, value)
        aws.client.cache_clear()
        yield
    aws.client.cache_clear()


@contextmanager
def account() -> Iterator[None]:
    """Have every client talk to an empty account in this process."""
    from moto import mock_aws

    with credentials(), mock_aws():
        yield


@pytest.fixture
def cloud() -> Iterator[None]:
    """An empty AWS account."""
    with account():
        yield
