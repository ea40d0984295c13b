"""Who is asking: turns keys and tokens into principals. The only place where a TenantId becomes trusted."""

from uuid import UUID

from chatconnect.domain.identifiers import AccountId, SessionId, TenantId
from chatconnect.domain.keys import KeyKind
from chatconnect.domain.principals import Server, SignedIn, Staff, Visitor
from chatconnect.domain.secret import Secret
from chatconnect.domain.session import STAFF_AUDIENCE, session_ended
from chatconnect.domain.tenant import tenant_suspended
from chatconnect.ports.accounts import Sessions, Standing
from chatconnect.ports.clock import Clock
from chatconnect.ports.credentials import TokenSigner
from chatconnect.ports.tenants import TenantsOf
from chatconnect.services.cached_tenants import CachedTenants
from chatconnect.services.chat_tokens import ChatTokens
from chatconnect.services.key_ring import KeyRing


class AccessService:
    """Authenticates visitors, servers and staff."""

    def __init__(
        self,
        *,
        keys: KeyRing,
        tenants_of: TenantsOf,
        sessions: Sessions,
        chat_tokens: TokenSigner,
        access_tokens: TokenSigner,
        clock: Clock,
    ) -> None:
        self._keys, self._tenants = keys, CachedTenants(tenants_of, clock=clock)
        self._chat_tokens, self._access_tokens = ChatTokens(chat_tokens), access_tokens
        self._sessions = sessions

    async def visitor(self, token: Secret) -> Visitor:
        """Return the visitor a chat token was made for.

        Raises Unauthenticated, with code "key_revoked" when the key that it was given for has ended.
        """
        visitor = await self.asking_visitor(token)
        await self._keys.check_let_in(visitor)
        return visitor

    async def asking_visitor(self, token: Secret) -> Visitor:
        """Return the visitor as `visitor` does, without a look at the key: the chat sees to it in the turn's epoch."""
        return await self._chat_tokens.read(token)

    async def server(self, key: Secret) -> Server:
        """Return the server a secret key belongs to. Raises Unauthenticated, Forbidden with code "tenant_suspended"."""
        found, epoch = await self._keys.usable(key, KeyKind.SECRET)
        plan = await self._tenants.at(found.tenant_id, epoch).plan()
        plan.check_active()
        return Server(found.tenant_id, found.id, found.assistant_id, plan.requests_per_minute, found.may)

    async def staff(self, token: Secret) -> Staff:
        """Return the member an access token was made for, with the role that they have now.

        It asks the database, in one statement, so that whoever was removed, demoted, logged out or disabled is so at
        once, however long the token runs. Raises Unauthenticated, Forbidden with code "tenant_suspended".
        """
        standing = await self._standing(token)
        if standing.suspended:
            raise tenant_suspended()
        return standing.signed_in.staff

    async def signed_in(self, token: Secret) -> SignedIn:
        """Return the person of an access token in their session, in a suspended tenant too. Raises Unauthenticated."""
        return (await self._standing(token)).signed_in

    async def _standing(self, token: Secret) -> Standing:
        claims = await self._access_tokens.verify(STAFF_AUDIENCE, token.reveal())
        if "session" not in claims:
            raise session_ended()
        standing = await self._sessions.standing(
            TenantId(UUID(claims["tenant"])), AccountId(UUID(claims["account"])), SessionId(UUID(claims["session"]))
        )
        if standing is None:
            raise session_ended()
        return standing
