"""How a tenant's documents are cut into chunks."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chatconnect.domain.chunking import CHUNK_SIZES, DEFAULT_CHUNKS, ChunkSettings
from chatconnect.http.authentication import Admin, Viewer
from chatconnect.http.errors import responses
from functions.config.own_tenant import own_tenant
from functions.config.services import Documents

router = APIRouter(prefix="/v1/tenants", tags=["documents"])


class ChunkingBody(BaseModel):
    """How long a chunk is at most, and how much of it the next one repeats."""

    tokens: int = Field(description=f"{CHUNK_SIZES[0]} to {CHUNK_SIZES[1]:,}", examples=[DEFAULT_CHUNKS.size])
    overlap: int = Field(description="Tokens, less than half of `tokens`", examples=[DEFAULT_CHUNKS.overlap])

    @classmethod
    def of(cls, settings: ChunkSettings) -> "ChunkingBody":
        """Return the body that shows settings."""
        return cls(tokens=settings.size, overlap=settings.overlap)


@router.get("/{tenant_id}/chunking", responses=responses(401, 403, 404))
async def show_chunking(tenant_id: UUID, caller: Viewer, documents: Documents) -> ChunkingBody:
    """Show how the tenant's documents are cut."""
    return ChunkingBody.of(await documents.chunk_settings(own_tenant(tenant_id, caller)))


@router.put("/{tenant_id}/chunking", responses=responses(401, 403, 404))
async def set_chunking(tenant_id: UUID, body: ChunkingBody, caller: Admin, documents: Documents) -> ChunkingBody:
    """Have documents cut in this way when they are processed from now on; those that are ready stay as they are."""
    settings = ChunkSettings(body.tokens, body.overlap)
    await documents.set_chunk_settings(own_tenant(tenant_id, caller), settings)
    return ChunkingBody.of(settings)
