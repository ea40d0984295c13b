"""Secrets from AWS Secrets Manager, read in threads and remembered for some minutes."""

import asyncio
import json
from collections.abc import Mapping

from chatconnect.domain.errors import Unavailable
from chatconnect.domain.secret import Secret

_REMEMBER_SECONDS = 300


async def read_secret(arn: str, *, fresh: bool = False) -> Secret:
    """Return the secret's text; a fresh one is asked for even when it is remembered. Raises Unavailable."""
    from aws_lambda_powertools.utilities.parameters import get_secret
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

    try:
        value = await asyncio.to_thread(get_secret, arn, max_age=_REMEMBER_SECONDS, force_fetch=fresh)
    except GetParameterError as error:
        raise Unavailable("the secret store") from error
    return Secret(str(value))


async def read_fields(arn: str) -> Mapping[str, str]:
    """Return a secret that holds a JSON object; none of its fields when it holds something else. Raises Unavailable."""
    text = (await read_secret(arn)).reveal()
    try:
        fields = json.loads(text)
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in fields.items()} if isinstance(fields, dict) else {}
