"""Who is known to the applications of these tests, and by which credentials."""

from types import SimpleNamespace

from fastapi import FastAPI

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.identifiers import (
    AccountId,
    AssistantId,
    KeyId,
    MemberId,
    SessionId,
    TenantId,
    VisitorId,
    new_id,
)
from chatconnect.domain.keys import Scope
from chatconnect.domain.principals import Server, SignedIn, Staff, Visitor
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import StaffRole, tenant_suspended
from chatconnect.http.application import create_app

TENANT = TenantId(new_id())
VISITOR = Visitor(TENANT, AssistantId(new_id()), VisitorId(new_id()), "https://acme.example", 100)
SERVERS = {
    "sk_live_good": Server(TENANT, KeyId(new_id()), None, 100),
    "sk_live_narrow": Server(
        TENANT, KeyId(new_id()), None, 100, frozenset({Scope.KNOWLEDGE_READ, Scope.CONVERSATIONS_READ})
    ),
}


class Access:
    """Knows a visitor, two servers, a member of each role, an operator, and somebody of a suspended tenant.

    People's tokens are their roles, or "operator" and "suspended".
    """

    async def visitor(self, token: Secret) -> Visitor:
        if token.reveal() == "visitor":
            return VISITOR
        expired = token.reveal() == "old-visitor"
        raise Unauthenticated("no", code="token_expired" if expired else "token_invalid")

    asking_visitor = visitor

    async def server(self, key: Secret) -> Server:
        if key.reveal() not in SERVERS:
            raise Unauthenticated("no", code="unknown_key")
        return SERVERS[key.reveal()]

    async def signed_in(self, token: Secret) -> SignedIn:
        name = token.reveal()
        if name not in (*StaffRole, "operator", "suspended"):
            raise Unauthenticated("no", code="token_invalid")
        role = StaffRole(name) if name in list(StaffRole) else StaffRole.VIEWER
        staff = Staff(TENANT, AccountId(new_id()), MemberId(new_id()), role)
        return SignedIn(staff, SessionId(new_id()), f"{name}@example.com", name == "operator")

    async def staff(self, token: Secret) -> Staff:
        if token.reveal() == "suspended":
            raise tenant_suspended()
        return (await self.signed_in(token)).staff


def an_app() -> FastAPI:
    """An application that knows them."""
    app = create_app("Test", environment="prod")
    app.state.services = SimpleNamespace(access=Access())
    return app
