"""A tool of a tenant's own: an HTTP endpoint that a model may call. Immutable and checked."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from chatconnect.domain.addresses import Origin, is_reachable, origin_of
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import TenantId, ToolId
from chatconnect.domain.json_schema import check_schema
from chatconnect.domain.secret import Secret

SEARCH_KNOWLEDGE = "search_knowledge"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MAX_HEADERS = 20
# The connection's own affair, or a way to be somebody else.
_RESERVED_HEADERS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer", "expect", "cookie",
     "accept-encoding", "proxy-authorization", "proxy-connection", "keep-alive"}
)  # fmt: skip
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_HEADER = re.compile(r"[a-zA-Z0-9-]{1,64}")
_PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class HttpTool:
    """An endpoint with what a model is told of it.

    `url` may hold {arguments}, in its path or query only. Header values are secrets, whatever they are.
    """

    id: ToolId
    tenant_id: TenantId
    name: str
    description: str
    parameters: Mapping[str, Any]
    method: str
    url: str
    created_at: datetime
    updated_at: datetime
    headers: Mapping[str, Secret] = field(default_factory=dict)
    enabled: bool = True

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name == SEARCH_KNOWLEDGE:
            raise Invalid(
                "a tool's name has 1 to 64 letters, digits, - and _, and is none of the built-in tools'",
                details={"field": "name"},
            )
        if not self.description.strip() or len(self.description) > 1_000 or "\0" in self.description:
            raise Invalid("a tool's description has 1 to 1,000 characters", details={"field": "description"})
        if self.method not in METHODS:
            raise Invalid(f"the method is one of {', '.join(METHODS)}", details={"field": "method"})
        check_schema(self.parameters)
        check_url(self.url, self.parameters.get("properties", {}))
        check_headers(self.headers)

    @property
    def origin(self) -> Origin:
        """Where the endpoint is."""
        return origin_of(self.url)

    @property
    def places(self) -> tuple[str, ...]:
        """The arguments that stand in the URL."""
        return tuple(_PLACE.findall(self.url))


def check_url(url: str, properties: Collection[str] = ()) -> None:
    """Raise Invalid unless the address can be called; the names of `properties` may stand in it, in braces."""
    if not is_reachable(url) or "#" in url:
        raise _wrong_url("it is an http(s) address of visible ASCII characters with no user and no fragment")
    if any(c in urlsplit(url).netloc for c in "{}\\") or not set(_PLACE.findall(url)) <= set(properties):
        raise _wrong_url("arguments of the schema may stand in its path and query, like {order}")
    if any(c in _PLACE.sub("", url) for c in "{}"):
        raise _wrong_url("a brace has no partner")


def _wrong_url(why: str) -> Invalid:
    return Invalid(f"the URL cannot be used: {why}", details={"field": "url"})


def check_headers(headers: Mapping[str, Secret]) -> None:
    """Raise Invalid when one of the headers cannot be sent, or may not."""
    if len(headers) > MAX_HEADERS or len({name.lower() for name in headers}) < len(headers):
        raise Invalid(f"there are at most {MAX_HEADERS} headers, each once", details={"field": "headers"})
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or name.lower() in _RESERVED_HEADERS:
            raise Invalid("a header of this name cannot be sent", details={"field": f"headers.{name[:64]}"})
        text = value.reveal()
        if not 1 <= len(text) <= 2_000 or not all(" " <= c <= "~" for c in text) or text != text.strip():
            raise Invalid("a header's value has 1 to 2,000 ASCII characters", details={"field": f"headers.{name}"})
