"""The one event loop of an execution environment: connections belong to it and outlive a single event."""

import asyncio


def event_loop() -> asyncio.AbstractEventLoop:
    """Return this process's loop, made at the first call."""
    try:
        return asyncio.get_event_loop()
    except RuntimeError:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        return loop
