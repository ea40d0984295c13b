"""Requests per minute, counted in Redis."""

from chatconnect.adapters.redis import AWAY, RedisDatabase
from chatconnect.adapters.redis_scripts import RedisScript
from chatconnect.domain.errors import LimitReached
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.traffic import Rate

RATE_SCRIPT = "rate.lua"
WINDOW_MS = 60_000


class RedisRateLimits:
    """Counts requests per minute with a sliding window, apart from what else an admission counts."""

    def __init__(self, database: RedisDatabase) -> None:
        self._database, self._check = database, RedisScript(RATE_SCRIPT, "check_rate.lua")

    async def check(self, tenant_id: TenantId, rate: Rate) -> None:
        """Count one request. Raises LimitReached; lets it pass when Redis is away."""
        if self._database.resting:
            return
        try:
            wait = await self._check(self._database, [rate_key(tenant_id, rate)], [rate.per_minute, WINDOW_MS])
        except AWAY:
            self._database.failed()
            return
        if wait:
            raise too_many(rate, wait)


def rate_key(tenant_id: TenantId, rate: Rate) -> str:
    """Return where a rate's window is kept, on the node of all that is the tenant's."""
    return f"{{{tenant_id}}}:rate:{rate.subject}"


def too_many(rate: Rate, wait_ms: int) -> LimitReached:
    """Return the refusal of a request that has to wait so many milliseconds."""
    return LimitReached(
        "too many messages in the last minute",
        retry_after=max(1.0, wait_ms / 1_000),
        details={"per_minute": rate.per_minute},
    )
