"""Visitors' passes: all that is needed of a visitor's request stands in them, signed, so no database is read.

Whether the key that one was given for has ended meanwhile, `KeyRing` knows.
"""

from uuid import UUID

from chatconnect.domain.identifiers import AssistantId, KeyId, TenantId, VisitorId
from chatconnect.domain.principals import Visitor
from chatconnect.domain.secret import Secret
from chatconnect.ports.credentials import TokenSigner

CHAT_TOKEN_SECONDS = 3600
_AUDIENCE = "chat"


class ChatTokens:
    """Makes and reads chat tokens."""

    def __init__(self, signer: TokenSigner) -> None:
        self._signer = signer

    async def give(self, visitor: Visitor) -> str:
        """Return a token for the visitor, good for an hour."""
        claims = {
            "tenant": str(visitor.tenant_id),
            "assistant": str(visitor.assistant_id),
            "visitor": str(visitor.visitor_id),
            "origin": visitor.origin,
            "rate": str(visitor.requests_per_minute),
        }
        if visitor.external_id is not None:
            claims["identity"] = visitor.external_id
        if visitor.key_id is not None:
            claims["key"] = str(visitor.key_id)
        return await self._signer.sign(_AUDIENCE, claims, lifetime_seconds=CHAT_TOKEN_SECONDS)

    async def read(self, token: Secret) -> Visitor:
        """Return the visitor. Raises Unauthenticated with code "token_expired" or "token_invalid"."""
        claims = await self._signer.verify(_AUDIENCE, token.reveal())
        return Visitor(
            tenant_id=TenantId(UUID(claims["tenant"])),
            assistant_id=AssistantId(UUID(claims["assistant"])),
            visitor_id=VisitorId(UUID(claims["visitor"])),
            origin=claims["origin"],
            requests_per_minute=int(claims["rate"]),
            external_id=claims.get("identity"),
            key_id=KeyId(UUID(claims["key"])) if "key" in claims else None,
        )
