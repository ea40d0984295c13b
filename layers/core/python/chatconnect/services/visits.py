"""Visitors at a widget's door: what a publishable key and a website lead to, and the pass to the chat."""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from chatconnect.domain.errors import Forbidden
from chatconnect.domain.identifiers import KeyId, TenantId, VisitorId, new_id
from chatconnect.domain.identity import Proof
from chatconnect.domain.keys import KeyKind
from chatconnect.domain.origins import check_origin
from chatconnect.domain.principals import Visitor
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import Plan, Tenant
from chatconnect.domain.visitor import KnownVisitor, visitor_blocked
from chatconnect.domain.widget import Widget
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area
from chatconnect.ports.tenants import TenantsOf
from chatconnect.ports.visitors import VisitorsOf
from chatconnect.ports.widgets import WidgetsOf
from chatconnect.services.cached_tenants import LIFETIME, CachedTenants
from chatconnect.services.chat_tokens import CHAT_TOKEN_SECONDS, ChatTokens
from chatconnect.services.epoch_cache import EpochCache
from chatconnect.services.identities import IdentityService
from chatconnect.services.key_ring import KeyRing


@dataclass(frozen=True, slots=True)
class ChatToken:
    """A visitor's pass: valid for `expires_in` seconds.

    `returning`: whether the conversations of the id that they came with are theirs still.
    """

    token: str
    expires_in: int
    visitor_id: VisitorId
    returning: bool


@dataclass(frozen=True, slots=True)
class WidgetVisit:
    """What a publishable key and a website lead to."""

    key_id: KeyId
    tenant: Tenant
    plan: Plan
    widget: Widget
    origin: str


@dataclass(frozen=True, slots=True)
class _Guest:
    """Who a pass is for."""

    id: VisitorId
    returning: bool
    external_id: str | None = None


class VisitService:
    """Lets visitors in."""

    def __init__(
        self,
        *,
        keys: KeyRing,
        tenants_of: TenantsOf,
        widgets_of: WidgetsOf,
        visitors_of: VisitorsOf,
        identities: IdentityService,
        tokens: ChatTokens,
        clock: Clock,
    ) -> None:
        self._keys, self._widgets_of, self._visitors_of = keys, widgets_of, visitors_of
        self._identities, self._tokens, self._clock = identities, tokens, clock
        self._cached = CachedTenants(tenants_of, clock=clock)
        self._widgets: EpochCache[Widget] = EpochCache(Area.CONFIGURATION, clock=clock, lifetime=LIFETIME)

    async def visit(self, key: Secret, origin: str | None) -> WidgetVisit:
        """Return the widget behind a publishable key, for a website that may use it.

        Raises Unauthenticated (unknown or ended key), Forbidden (the website; a suspended tenant).
        """
        found, epoch = await self._keys.usable(key, KeyKind.PUBLISHABLE)
        read = partial(self._widgets_of(found.tenant_id).of_key, found)
        widget = await self._widgets.get(found.id, epoch, read)
        allowed = check_origin(origin, widget.config.allowed_domains)
        tenants = self._cached.at(found.tenant_id, epoch)
        plan = await tenants.plan()
        plan.check_active()
        return WidgetVisit(found.id, await tenants.get(), plan, widget, allowed)

    async def chat_token(
        self, key: Secret, origin: str | None, visitor_id: UUID | None, proof: Proof | None = None
    ) -> ChatToken:
        """Exchange a publishable key for a visitor's token; who returns keeps their id, unless they are not the same.

        Raises what `visit` raises, Unauthenticated with code "identity_invalid" or "identity_expired", Forbidden with
        code "identity_required" or "visitor_blocked".
        """
        visit = await self.visit(key, origin)
        tenant_id, claimed = visit.tenant.id, VisitorId(visitor_id) if visitor_id else None
        if proof is not None:
            guest = await self._identified(tenant_id, claimed, proof)
        elif visit.widget.config.require_identity:
            raise Forbidden("this chat is for people who are logged in", code="identity_required")
        else:
            guest = await self._anonymous(tenant_id, claimed)
        visitor = Visitor(
            tenant_id,
            visit.widget.assistant_id,
            guest.id,
            visit.origin,
            visit.plan.requests_per_minute,
            guest.external_id,
            visit.key_id,
        )
        return ChatToken(await self._tokens.give(visitor), CHAT_TOKEN_SECONDS, guest.id, guest.returning)

    async def _anonymous(self, tenant_id: TenantId, claimed: VisitorId | None) -> _Guest:
        """Nobody goes on as a visitor known by identity: an id alone, left on a shared computer, will not do."""
        known = await self._welcome(tenant_id, claimed)
        if claimed is None or (known is not None and not known.is_anonymous):
            return _Guest(VisitorId(new_id()), returning=False)
        return _Guest(claimed, returning=True)

    async def _identified(self, tenant_id: TenantId, claimed: VisitorId | None, proof: Proof) -> _Guest:
        identity = await self._identities.proven(tenant_id, proof)
        await self._welcome(tenant_id, claimed)
        found = await self._visitors_of(tenant_id).recognise(identity, claimed, self._clock())
        if found.visitor.block is not None:
            raise visitor_blocked()
        return _Guest(found.visitor.id, found.returning, identity.external_id)

    async def _welcome(self, tenant_id: TenantId, claimed: VisitorId | None) -> KnownVisitor | None:
        """Return the visitor of an id, where there is one. Raises Forbidden when they are anonymous and blocked."""
        known = await self._visitors_of(tenant_id).find(claimed, self._clock()) if claimed else None
        if known is not None and known.is_anonymous and known.block is not None:
            raise visitor_blocked()
        return known
