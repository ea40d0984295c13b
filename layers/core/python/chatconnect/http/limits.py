"""What a client may still ask, in the fields that clients know.

`RateLimit-Policy` and `RateLimit` as in draft-ietf-httpapi-ratelimit-headers-10, and beside them the three fields of
its earlier versions (to -06), for the limit that is nearest, which most clients understand so far.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from chatconnect.domain.budget import Left, Measure, Period
from chatconnect.domain.errors import ChatConnectError, LimitReached

_MINUTE = 60.0
_FIELDS = {
    "RateLimit-Policy": "The limits: name, quota `q`, window `w` in seconds, unit `qu` unless it is requests",
    "RateLimit": "What is left: name, remaining `r`, seconds `t` until all of it is there again",
    "RateLimit-Limit": "The quota of the limit that is nearest",
    "RateLimit-Remaining": "What is left of it",
    "RateLimit-Reset": "Seconds until all of it is there again",
}
_DOCUMENTED = {name: {"description": text, "schema": {"type": "string"}} for name, text in _FIELDS.items()}
_RETRY = {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}}


def limit_headers(left: Sequence[Left]) -> dict[str, str]:
    """Return the fields that tell of limits; none without any (nobody counted, say)."""
    if not left:
        return {}
    nearest = min(left, key=lambda each: each.remaining)
    return {
        "RateLimit-Policy": ", ".join(_policy(each) for each in left),
        "RateLimit": ", ".join(f'"{each.name}";r={each.remaining};t={math.ceil(each.resets_in)}' for each in left),
        "RateLimit-Limit": str(nearest.quota),
        "RateLimit-Remaining": str(nearest.remaining),
        "RateLimit-Reset": str(math.ceil(nearest.resets_in)),
    }


def headers_of_refusal(error: ChatConnectError) -> dict[str, str]:
    """Return the fields that tell which limit a refusal is for; none when it is not one of ours."""
    if not isinstance(error, LimitReached) or error.retry_after is None:
        return {}
    if (per_minute := error.details.get("per_minute")) is not None:
        return limit_headers([Left("requests", _whole(per_minute), _MINUTE, 0, error.retry_after)])
    name, quota = error.details.get("limit"), error.details.get("quota")
    if not isinstance(name, str) or quota is None:
        return {}
    period, now = Period(name.rpartition("_per_")[2]), datetime.now(UTC)
    window = (period.end(now) - period.start(now)).total_seconds()
    return limit_headers([Left(name, _whole(quota), window, 0, error.retry_after)])


def with_limits(documented: Mapping[int | str, Mapping[str, Any]]) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI entries in which answers and refusals (429) have the fields, the latter with Retry-After."""
    entries: dict[int | str, dict[str, Any]] = {200: {}}
    entries.update({status: dict(each) for status, each in documented.items()})
    entries[200] |= {"headers": _DOCUMENTED}
    entries[429] |= {"headers": {"Retry-After": _RETRY} | _DOCUMENTED}
    return entries


def _policy(left: Left) -> str:
    unit = next((f';qu="{each.value}"' for each in Measure if f"{each}_per_" in left.name), "")
    return f'"{left.name}";q={left.quota};w={left.window:.0f}{unit}'


def _whole(number: object) -> int:
    return int(str(number))
