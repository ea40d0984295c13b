"""What it takes to know who asks: the chat token of a visitor, and the secret key of a server whose key is kept.

Neither asks a database. The key's check asks Redis for the tenant's epoch, in one round trip; here its answer is at
hand, so what is measured is our own work. Of a token: with its first request (`new`), and with each that follows.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from chatconnect.adapters.jwt import JwtSigner
from chatconnect.domain.identifiers import AssistantId, TenantId, VisitorId, new_id
from chatconnect.domain.keys import KeyKind
from chatconnect.domain.principals import Visitor
from chatconnect.domain.secret import Secret
from chatconnect.http.scopes import scopes_for
from chatconnect.services.chat_tokens import ChatTokens
from tests.unit.services.arriving import Arrival

_ROUNDS = 5_000
_TOKENS = 3_000
_TARGET_MS = 0.2


async def _key() -> Sequence[Secret]:
    return [Secret("a signing key of the benchmark, more than 32 bytes")]


async def _timed(check: Callable[[], Awaitable[object]], rounds: int) -> dict[str, float]:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        await check()
        times.append((time.perf_counter() - started) * 1_000)
    p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
    return {"p50_ms": round(p50, 4), "p99_ms": round(p99, 4)}


async def _measured() -> dict[str, Any]:
    tokens = ChatTokens(JwtSigner(_key))
    origin = "https://www.example.com"
    tenant_id, assistant_id = TenantId(new_id()), AssistantId(new_id())
    visitors = [Visitor(tenant_id, assistant_id, VisitorId(new_id()), origin, 100, "user-1") for _ in range(_TOKENS)]
    given = [Secret(await tokens.give(visitor)) for visitor in visitors]
    fresh = iter(given)
    arrival = Arrival()
    ring = arrival.key_ring()
    for _ in range(2):
        await ring.usable(arrival.secret_key, KeyKind.SECRET)

    async def key_and_scope() -> None:
        key, _ = await ring.usable(arrival.secret_key, KeyKind.SECRET)
        assert scopes_for("POST", "/v1/chat/stream") <= key.may

    figures = {
        "chat_token_new": await _timed(lambda: tokens.read(next(fresh)), _TOKENS),
        "chat_token_known": await _timed(lambda: tokens.read(given[-1]), _ROUNDS),
        "secret_key": await _timed(key_and_scope, _ROUNDS),
    }
    met = all(figure["p50_ms"] < _TARGET_MS for figure in figures.values())
    return {**figures, "target_ms": _TARGET_MS, "target_met": met}


def main() -> dict[str, Any]:
    """Measure each check, one after the other."""
    return asyncio.run(_measured())
