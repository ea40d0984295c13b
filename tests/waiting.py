"""Waiting for what comes true by itself, on a machine of any speed."""

import asyncio
from collections.abc import Callable
from inspect import isawaitable
from typing import Any

PATIENCE_SECONDS = 60  # only so that a test that waits in vain ends; one that is given less time depends on the machine
_LONGEST_PAUSE_SECONDS = 0.1


async def until(condition: Callable[[], Any]) -> Any:
    """Wait for something to come true, here or as an answer to be awaited, and return what it then is."""
    pause = 0.002
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await _seen(condition())):
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
    return found


async def _seen(found: Any) -> Any:
    return await found if isawaitable(found) else found
