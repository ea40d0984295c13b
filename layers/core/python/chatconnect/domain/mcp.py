"""An MCP server that a tenant has attached, and the tools that it offers. Immutable and checked."""

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chatconnect.domain.addresses import Origin, origin_of
from chatconnect.domain.errors import Invalid
from chatconnect.domain.foreign_schema import adopted_schema
from chatconnect.domain.identifiers import McpServerId, TenantId
from chatconnect.domain.json_schema import Schema
from chatconnect.domain.secret import Secret
from chatconnect.domain.text import cleaned
from chatconnect.domain.tool import check_headers, check_url

ALL = "*"
MAX_TOOLS = 100  # of one server
MAX_DEFINITIONS = 100_000  # characters of one server's tools: a model reads them for every answer
MAX_DESCRIPTION = 1_000
STALE = timedelta(hours=1)
DOUBTED = timedelta(minutes=1)
# Without _, so that the first "__" of the name that a model sees ends the server's name.
_SERVER_NAME = re.compile(r"[a-zA-Z0-9-]{1,32}")
_TOOL_NAME = re.compile(r"[!-~]{1,128}")
_MODEL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class McpTool:
    """A tool of a server, as the server calls it; `parameters` is a schema that `violation` understands."""

    name: str
    description: str
    parameters: Schema


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server offered at a moment. `protocol` is the version that it spoke; `left_out` counts unusable tools."""

    protocol: str
    tools: tuple[McpTool, ...]
    at: datetime
    left_out: int = 0

    @classmethod
    def of(cls, offered: Iterable[tuple[str, str, Mapping[str, Any]]], *, protocol: str, at: datetime) -> "Listing":
        """Return what can be used of tools that a foreign server describes: name, description and schema of each."""
        tools: dict[str, McpTool] = {}
        left_out, room = 0, MAX_DEFINITIONS
        for name, description, schema in offered:
            tool = _adopted(name, description, schema)
            size = len(json.dumps(tool.parameters)) + len(tool.description) if tool else 0
            if tool is None or name in tools or len(tools) >= MAX_TOOLS or size > room:
                left_out += 1
                continue
            tools[name] = tool
            room -= size
        return cls(protocol, tuple(tools.values()), at, left_out)


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server with what is known of its tools. Header values are secrets, whatever they are.

    `checked_at` is when its tools were last asked for, and `failure` says why that came to nothing; the listing before
    it stays.
    """

    id: McpServerId
    tenant_id: TenantId
    name: str
    url: str
    created_at: datetime
    updated_at: datetime
    headers: Mapping[str, Secret] = field(default_factory=dict)
    enabled: bool = True
    listing: Listing | None = None
    checked_at: datetime | None = None
    failure: str | None = None

    def __post_init__(self) -> None:
        if not _SERVER_NAME.fullmatch(self.name):
            raise Invalid("a server's name has 1 to 32 letters, digits and -", details={"field": "name"})
        check_url(self.url)
        check_headers(self.headers)

    @property
    def origin(self) -> Origin:
        """Where the server is."""
        return origin_of(self.url)

    @property
    def tools(self) -> tuple[McpTool, ...]:
        """The tools that it offered last."""
        return self.listing.tools if self.listing else ()

    def offered(self, wanted: Collection[str]) -> list[McpTool]:
        """Return the tools of these names, or all when "*" is among them."""
        return [tool for tool in self.tools if ALL in wanted or tool.name in wanted]

    def model_name(self, tool: McpTool) -> str:
        """Return the name by which a model calls the tool: "server__tool", or close to it where that is no name."""
        plain = f"{self.name}__{tool.name}"
        if _MODEL_NAME.fullmatch(plain):
            return plain
        mark = hashlib.sha256(plain.encode()).hexdigest()[:8]
        return f"{re.sub('[^a-zA-Z0-9_-]', '_', plain)[:55]}_{mark}"

    def is_due(self, now: datetime, *, doubted: bool = False) -> bool:
        """Say whether its tools should be asked for anew; `doubted`: one of them has just failed."""
        return self.checked_at is None or now - self.checked_at > (DOUBTED if doubted else STALE)

    def listed(self, listing: Listing) -> "McpServer":
        """Return a copy with what the server has just offered."""
        return replace(self, listing=listing, checked_at=listing.at, failure=None)

    def failed(self, why: str, at: datetime) -> "McpServer":
        """Return a copy that knows why its tools could not be listed."""
        return replace(self, checked_at=at, failure=why)


def wanted_tools(names: Iterable[str]) -> dict[str, set[str]]:
    """Return, by server, the tools that an assistant names as "server/tool" or "server/*"."""
    wanted: dict[str, set[str]] = {}
    for name in names:
        server, slash, tool = name.partition("/")
        if slash:
            wanted.setdefault(server, set()).add(tool)
    return wanted


def _adopted(name: str, description: str, schema: Mapping[str, Any]) -> McpTool | None:
    if not _TOOL_NAME.fullmatch(name) or name == ALL:
        return None
    told = cleaned(description, keep="\n")[:MAX_DESCRIPTION].strip() or name
    try:
        return McpTool(name, told, adopted_schema(schema))
    except Invalid:
        return None
