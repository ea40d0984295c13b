"""Secrets from AWS Secrets Manager, remembered for some minutes."""

import json
import time
from collections.abc import Mapping

from chatconnect.adapters.aws import aws_errors, call
from chatconnect.domain.secret import Secret

_REMEMBER_SECONDS = 300

_remembered: dict[str, tuple[float, Secret]] = {}


async def read_secret(arn: str, *, fresh: bool = False) -> Secret:
    """Return the secret's text; a fresh one is asked for even when it is remembered. Raises Unavailable.

    Every token that is verified comes here for its key, so what is remembered takes neither a thread nor a request.
    """
    until, known = _remembered.get(arn, (0.0, None))
    if known is not None and not fresh and time.time() < until:
        return known
    with aws_errors("the secret store"):
        found = await call("secretsmanager", "get_secret_value", SecretId=arn)
    read = Secret(str(found["SecretString"]))
    _remembered[arn] = time.time() + _REMEMBER_SECONDS, read
    return read


async def read_fields(arn: str) -> Mapping[str, str]:
    """Return a secret that holds a JSON object; none of its fields when it holds something else. Raises Unavailable."""
    text = (await read_secret(arn)).reveal()
    try:
        fields = json.loads(text)
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in fields.items()} if isinstance(fields, dict) else {}
