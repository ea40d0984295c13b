"""A tenant's API keys: making, rotating and ending them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chatconnect.domain.errors import Conflict, Invalid
from chatconnect.domain.identifiers import AssistantId, KeyId, TenantId, WidgetId, new_id
from chatconnect.domain.keys import (
    ApiKey,
    KeyKind,
    Scope,
    checked_end,
    checked_overlap,
    checked_scopes,
    hash_of,
    hint_of,
    make_key,
)
from chatconnect.domain.principals import Server, TenantSide
from chatconnect.domain.secret import Secret
from chatconnect.domain.text import checked_name
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.keys import KeysOf
from chatconnect.ports.tenants import TenantsOf
from chatconnect.ports.widgets import WidgetsOf
from chatconnect.services.changes import changing

_WIDGET_FIELD = {"field": "widget_id"}


@dataclass(frozen=True, slots=True)
class KeyWish:
    """What a new key is to be. No scopes: all that a key of its kind can have; no end: until it is revoked."""

    kind: KeyKind
    name: str
    assistant_id: AssistantId | None = None
    scopes: Iterable[Scope] | None = None
    expires_at: datetime | None = None
    widget_id: WidgetId | None = None


class KeyService:
    """Manages keys. Every change is seen by all processes at their next request."""

    def __init__(
        self, *, keys_of: KeysOf, tenants_of: TenantsOf, widgets_of: WidgetsOf, epochs: Epochs, clock: Clock
    ) -> None:
        self._keys_of, self._tenants_of, self._widgets_of = keys_of, tenants_of, widgets_of
        self._epochs, self._clock = epochs, clock

    async def all(self, tenant_id: TenantId) -> Sequence[ApiKey]:
        """Return the tenant's keys, newest first."""
        return await self._keys_of(tenant_id).all()

    async def add(self, caller: TenantSide, wish: KeyWish) -> tuple[ApiKey, Secret]:
        """Make a key and return it with its text, shown this once.

        Raises Invalid, NotFound for a foreign assistant or widget, Forbidden when a server asks for more than it may.
        """
        tenant_id, name, now = caller.tenant_id, checked_name(wish.name, "a key"), self._clock()
        scopes = checked_scopes(wish.kind, wish.scopes, wish.assistant_id)
        _check_may_give(caller, scopes)
        if wish.assistant_id is not None:
            await self._tenants_of(tenant_id).assistant(wish.assistant_id)
        await self._check_widget(tenant_id, wish)
        text = make_key(wish.kind, tenant_id)
        key = ApiKey(
            id=KeyId(new_id()),
            tenant_id=tenant_id,
            kind=wish.kind,
            name=name,
            hint=hint_of(text),
            created_at=now,
            assistant_id=wish.assistant_id,
            expires_at=checked_end(wish.expires_at, now),
            scopes=scopes,
            widget_id=wish.widget_id,
        )
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await self._keys_of(tenant_id).add(key, hash_of(text))
        return key, text

    async def _check_widget(self, tenant_id: TenantId, wish: KeyWish) -> None:
        """Raise Invalid where a widget makes no sense, NotFound for a foreign one."""
        if wish.widget_id is None:
            return
        if wish.kind is not KeyKind.PUBLISHABLE or wish.assistant_id is not None:
            raise Invalid("a widget is named by a publishable key alone, and has its assistant", details=_WIDGET_FIELD)
        await self._widgets_of(tenant_id).get(wish.widget_id)

    async def rotate(self, caller: TenantSide, key_id: KeyId, overlap: timedelta) -> tuple[ApiKey, Secret]:
        """Make a key that may do what this one may, and end this one after the overlap; return the new one.

        Raises NotFound, Invalid, Conflict with code "key_ended" or "key_rotated", Forbidden when a server may not do
        itself what the key may.
        """
        keys, now = self._keys_of(caller.tenant_id), self._clock()
        ends_at = now + checked_overlap(overlap)
        old = await keys.get(key_id)
        _check_may_give(caller, old.may)
        if old.replaced_by is not None:
            raise Conflict("this key has been rotated already", code="key_rotated")
        if not old.is_usable(now):
            raise Conflict("this key has ended; make a new one", code="key_ended")
        text = make_key(old.kind, caller.tenant_id)
        key = old.successor(KeyId(new_id()), hint_of(text), now)
        async with changing(self._epochs, caller.tenant_id, Area.CONFIGURATION):
            if not await keys.replace(key_id, key, hash_of(text), ends_at=ends_at):
                raise Conflict("this key has just been rotated or revoked", code="key_rotated")
        return key, text

    async def revoke(self, tenant_id: TenantId, key_id: KeyId) -> None:
        """End a key now. Raises NotFound."""
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await self._keys_of(tenant_id).revoke(key_id, self._clock())


def _check_may_give(caller: TenantSide, scopes: frozenset[Scope]) -> None:
    """Raise Forbidden when a server would get a key that may do more than its own."""
    if isinstance(caller, Server):
        caller.check_may(scopes)
