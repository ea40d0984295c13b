"""Sample events, filled in with what a running stack has."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import httpx

from local.services.aws import emulator_session

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def read_event(path: Path, values: Mapping[str, str]) -> Any:
    """Return a sample event; every `{name}` that `values` has is replaced, others stay: API Gateway writes them too.

    Raises OSError, and ValueError when it is no JSON.
    """
    text = path.read_text(encoding="utf-8")
    return json.loads(_PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text))


def event_values(addresses: Mapping[str, str]) -> dict[str, str]:
    """Return what the placeholders of the samples stand for on the stack with these addresses (`.local/dev.json`).

    Beside the addresses themselves: `chat_token`, a visitor's, given on the API's own pages, and `upload_key`, the
    key of one of the demo tenant's uploads, encoded as S3 encodes it. Raises httpx.HTTPError.
    """
    return {**addresses, "chat_token": _chat_token(addresses), "upload_key": quote_plus(_upload(addresses), safe="/")}


def _chat_token(addresses: Mapping[str, str]) -> str:
    url = f"{addresses['api_url']}/v1/widgets/{addresses['widget_key']}/token"
    answer = httpx.post(url, headers={"Origin": addresses["api_url"]})
    answer.raise_for_status()
    token: str = answer.json()["token"]
    return token


def _upload(addresses: Mapping[str, str]) -> str:
    s3 = emulator_session().client("s3", endpoint_url=addresses["s3_endpoint"])
    listed = s3.list_objects_v2(Bucket=addresses["bucket"], Prefix=f"{addresses['tenant_id']}/", MaxKeys=1)
    s3.close()
    return next((item["Key"] for item in listed.get("Contents", ())), "")
