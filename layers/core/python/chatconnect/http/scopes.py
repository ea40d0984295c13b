"""What a secret key needs for each route.

A route that is not listed is open to keys with every scope alone: so a new one cannot be forgotten.
"""

from collections.abc import Mapping

from chatconnect.domain.keys import ALL_SCOPES, Scope

SAFE_METHODS = ("GET", "HEAD")
_CONVERSATIONS = (Scope.CONVERSATIONS_READ, Scope.CONVERSATIONS_WRITE)
_KNOWLEDGE = (Scope.KNOWLEDGE_READ, Scope.KNOWLEDGE_WRITE)
_CONFIG = (Scope.CONFIG_READ, Scope.CONFIG_WRITE)

# By the part of the path after /v1: what reading needs, and what anything else does.
_AREAS: Mapping[str, tuple[Scope, Scope]] = {
    "chat": (Scope.CHAT, Scope.CHAT),
    "conversations": _CONVERSATIONS,
    "messages": _CONVERSATIONS,
    "visitors": _CONVERSATIONS,
    "abuse": _CONVERSATIONS,
    "documents": _KNOWLEDGE,
    "realtime": (Scope.KNOWLEDGE_READ, Scope.KNOWLEDGE_READ),
    "knowledge": (Scope.KNOWLEDGE_READ, Scope.KNOWLEDGE_READ),  # a search is a POST
    "embed": (Scope.KNOWLEDGE_READ, Scope.KNOWLEDGE_READ),
    "knowledge-sources": _CONFIG,
    "assistants": _CONFIG,
    "widgets": _CONFIG,
    "leads": _CONVERSATIONS,
    "tools": _CONFIG,
    "mcp-servers": _CONFIG,
    "tenants": _CONFIG,
    "plans": _CONFIG,
    "keys": _CONFIG,
    "identity-secrets": _CONFIG,
    "usage": (Scope.USAGE_READ, Scope.CONFIG_WRITE),
}


def scopes_for(method: str, path: str) -> frozenset[Scope]:
    """Return the scopes that a key needs for a request."""
    area = _AREAS.get(path.removeprefix("/v1/").partition("/")[0])
    if area is None:
        return ALL_SCOPES
    reading, writing = area
    return frozenset({reading if method in SAFE_METHODS else writing})
