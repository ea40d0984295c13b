"""Changing what others may have cached."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.epochs import Area, Epochs


@asynccontextmanager
async def changing(epochs: Epochs, tenant_id: TenantId, area: Area) -> AsyncIterator[None]:
    """Begin a new epoch when what is done inside is over; to be put around every statement that changes the area.

    Even when it failed: an answer that got lost may have been that of a change that was stored.
    """
    try:
        yield
    finally:
        await epochs.changed(tenant_id, area)
