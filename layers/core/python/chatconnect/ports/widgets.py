"""Where widgets are kept, with the states that they have been in, and what visitors left in their forms."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from chatconnect.domain.identifiers import AccountId, LeadId, TenantId, VisitorId, WidgetId
from chatconnect.domain.keys import ApiKey
from chatconnect.domain.lead import Lead
from chatconnect.domain.widget import Widget, WidgetVersion


class Widgets(Protocol):
    """One tenant's widgets."""

    async def all(self) -> Sequence[Widget]:
        """Return all widgets, newest first."""
        ...

    async def get(self, widget_id: WidgetId) -> Widget:
        """Return the widget. Raises NotFound."""
        ...

    async def of_key(self, key: ApiKey) -> Widget:
        """Return the widget that a key names, or else the oldest of the key's assistant. Raises NotFound.

        A key with neither shows the default assistant's widget or, where that has none, the tenant's oldest.
        """
        ...

    async def add(self, widget: Widget, author: AccountId | None) -> None:
        """Store a new widget with its first version. Raises NotFound for a foreign assistant."""
        ...

    async def save(self, widget: Widget, author: AccountId | None) -> Widget:
        """Store the widget in place of its earlier state, which is kept as a version; return it. Raises NotFound."""
        ...

    async def delete(self, widget_id: WidgetId, at: datetime) -> None:
        """Forget the widget and its versions, and end the keys that name it. Raises NotFound."""
        ...

    async def versions(self, widget_id: WidgetId, *, limit: int, below: int | None = None) -> Sequence[WidgetVersion]:
        """Return the states that the widget has been in, the newest (the current one) first; none of no widget."""
        ...


class Leads(Protocol):
    """What visitors left in the forms of one tenant's widgets."""

    async def save(self, lead: Lead) -> None:
        """Store what a visitor left, in place of what they left before in the same widget."""
        ...

    async def page(
        self, *, limit: int, after: tuple[datetime, LeadId] | None = None, visitor_id: VisitorId | None = None
    ) -> Sequence[Lead]:
        """Return leads, newest first, beginning after a place."""
        ...

    async def delete(self, lead_id: LeadId) -> None:
        """Forget a lead. Raises NotFound."""
        ...


WidgetsOf = Callable[[TenantId], Widgets]
LeadsOf = Callable[[TenantId], Leads]
