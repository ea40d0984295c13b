"""Secrets from Secrets Manager: read once for some minutes, anew when asked, and away when it is."""

import asyncio

import boto3
import pytest

from chatconnect.adapters import secrets_manager
from chatconnect.adapters.secrets_manager import read_fields, read_secret
from chatconnect.domain.errors import Unavailable
from chatconnect.domain.secret import Secret


@pytest.fixture(autouse=True)
def nothing_remembered(cloud: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets_manager, "_remembered", {})


async def test_a_secret_is_remembered_and_a_fresh_one_is_read_anew() -> None:
    store = boto3.client("secretsmanager")
    arn = store.create_secret(Name="signing", SecretString="first")["ARN"]
    first = await read_secret(arn)
    store.put_secret_value(SecretId=arn, SecretString="second")

    remembered, fresh, again = [await read_secret(arn, fresh=fresh) for fresh in (False, True, False)]

    assert [each.reveal() for each in (first, remembered, fresh, again)] == ["first", "first", "second", "second"]


async def test_what_is_remembered_takes_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    arn = boto3.client("secretsmanager").create_secret(Name="signing", SecretString="first")["ARN"]
    await read_secret(arn)
    monkeypatch.delattr(asyncio, "to_thread")

    assert await read_secret(arn) == Secret("first")


@pytest.mark.parametrize(
    ("text", "fields"),
    [('{"username": "app", "port": 5432}', {"username": "app", "port": "5432"}), ("a key", {}), ("[]", {})],
)
async def test_a_secret_may_hold_fields(text: str, fields: dict[str, str]) -> None:
    arn = boto3.client("secretsmanager").create_secret(Name="database", SecretString=text)["ARN"]

    assert await read_fields(arn) == fields


async def test_a_secret_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        await read_secret("nothing")
