"""Asking Redis for what can be done without: nobody waits for it while it is away, and nobody hears of that."""

from typing import Any

from chatconnect.adapters.redis import AWAY, RedisDatabase
from chatconnect.adapters.redis_wire import Command


async def ask_quietly(database: RedisDatabase, *commands: Command) -> list[Any] | None:
    """Return the answers to some commands as `RedisDatabase.ask` does; None when Redis is away, or just was."""
    if database.resting:
        return None
    try:
        return await database.ask(*commands)
    except AWAY:
        database.failed()
        return None
