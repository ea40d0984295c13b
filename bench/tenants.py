"""How long a search takes in a collection with the chunks of 1, of 100 and of 1,000 tenants: it should stay flat.

Every tenant has as many chunks as any other, and each search is one tenant's own, by meaning and by words. The sizes
take turns, one search each, so that whatever else the machine does is shared by all of them.
"""

import asyncio
import random
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.texts import prose, question
from chatconnect.adapters.qdrant import QdrantChunks, QdrantDatabase
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId, new_id
from chatconnect.domain.knowledge import Chunk
from chatconnect.ports.knowledge import SearchScope
from local.services import Qdrant, free_port

_SIZES = (1, 100, 1_000)
_CHUNKS = 20  # of each tenant
_DIMENSIONS = 384
_SEARCHES = 300
_CHARACTERS = 600


def _vector(chance: random.Random) -> list[float]:
    values = [chance.gauss(0, 1) for _ in range(_DIMENSIONS)]
    length = sum(value * value for value in values) ** 0.5
    return [value / length for value in values]


def _chunks(seed: int) -> list[Chunk]:
    document_id, version_id, text = DocumentId(new_id()), VersionId(new_id()), prose(_CHUNKS * _CHARACTERS, seed)
    pieces = [text[start : start + _CHARACTERS] for start in range(0, len(text), _CHARACTERS)]
    return [
        Chunk(
            document_id, version_id, "Handbook", position, piece, position * _CHARACTERS, (position + 1) * _CHARACTERS
        )
        for position, piece in enumerate(pieces)
    ]


async def _filled(database: QdrantDatabase, tenants: int, chance: random.Random) -> list[QdrantChunks]:
    stores = [database.for_tenant(TenantId(new_id())) for _ in range(tenants)]
    for number, store in enumerate(stores):
        chunks = _chunks(number)
        await store.save(chunks, [_vector(chance) for _ in chunks])
    return stores


async def _measured() -> dict[str, Any]:
    chance = random.Random(7)
    seconds: dict[int, list[float]] = {size: [] for size in _SIZES}
    with tempfile.TemporaryDirectory() as folder:
        async with Qdrant(Path(folder), free_port()) as server:
            databases = {
                size: QdrantDatabase(server.url, collection=f"tenants-{size}", dimensions=_DIMENSIONS)
                for size in _SIZES
            }
            stores = {size: await _filled(database, size, chance) for size, database in databases.items()}
            for _ in range(_SEARCHES):
                text, vector = question(chance), _vector(chance)
                for size, spent in seconds.items():
                    store = chance.choice(stores[size])
                    begin = time.perf_counter()
                    found = await store.both(text, vector, SearchScope(), limit=20)
                    spent.append(time.perf_counter() - begin)
                    if not all(found):
                        raise RuntimeError(f"with {size} tenants nothing was found")
            for database in databases.values():
                await database.aclose()
    alone = median(seconds[1])
    return {
        "chunks_of_each": _CHUNKS,
        "searches": _SEARCHES,
        **{
            f"tenants_{size}": {
                "median_ms": round(median(spent) * 1000, 2),
                "p95_ms": round(quantiles(spent, n=20)[-1] * 1000, 2),
                "ratio_to_one_tenant": round(median(spent) / alone, 2),
            }
            for size, spent in seconds.items()
        },
    }


def main() -> dict[str, Any]:
    """Return the figures."""
    return asyncio.run(_measured())
