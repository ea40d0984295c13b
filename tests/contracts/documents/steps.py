"""What tests do to documents before they look."""

from collections.abc import Awaitable, Callable

from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.knowledge import Document, Version
from chatconnect.ports.knowledge import Documents

OpenTenant = Callable[[], Awaitable[tuple[TenantId, Documents]]]

MODEL = "openai:text-embedding-3-small:1536"


async def added(documents: Documents, document: Document) -> Version:
    """Store the document; return its version as it was stored."""
    await documents.add(document)
    return (await documents.get(document.id)).newest


async def ready(documents: Documents, version: Version) -> None:
    await documents.begin_processing(version.id, "01")
    assert await documents.activate(version.id)
