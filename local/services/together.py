"""Several services as one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from local.services.process import Service


def _say_nothing(_service: Service, _seconds: float) -> None:
    pass


@asynccontextmanager
async def running(*services: Service, started: Callable[[Service, float], None] = _say_nothing) -> AsyncIterator[None]:
    """Start all services at the same time, run the block, and stop them all, whatever happens.

    `started` is told each service and its seconds as it comes up. Raises what the first start to fail
    raised, PortTaken or StartFailed, after the others have been stopped.
    """

    async def start(service: Service) -> None:
        started(service, await service.start())

    try:
        starts = [asyncio.create_task(start(service)) for service in services]
        try:
            await asyncio.gather(*starts)
        finally:
            for task in starts:
                task.cancel()
            await asyncio.gather(*starts, return_exceptions=True)
        yield
    finally:
        await asyncio.gather(*(service.stop() for service in services))
