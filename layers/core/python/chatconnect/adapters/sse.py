"""Server-Sent Events as the providers send them: read raw, line by line."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from typing import Protocol, cast

from chatconnect.adapters.provider_http import Timeouts
from chatconnect.domain.errors import ProviderFailed

MAX_LINE = 1024 * 1024
DRAIN_SECONDS = 0.25


class RawResponse(Protocol):
    """A vendor client's response whose body has not been read."""

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces as they arrive."""
        ...


@asynccontextmanager
async def open_events(
    opening: AbstractAsyncContextManager[RawResponse], timeouts: Timeouts
) -> AsyncGenerator[AsyncGenerator[bytes]]:
    """Make the call and give the payload of every `data:` line of its answer, unparsed.

    Leaving early closes the connection at once; leaving normally reads the little that follows the last event,
    so that the connection can be used again.
    Raises TimeoutError, ProviderFailed for an endless line, and whatever the vendor's client raises.
    """
    deadline = asyncio.get_running_loop().time() + timeouts.first_byte
    async with AsyncExitStack() as leaving:
        async with asyncio.timeout_at(deadline):
            response = await leaving.enter_async_context(opening)
        chunks = cast("AsyncGenerator[bytes]", response.iter_bytes())
        await leaving.enter_async_context(aclosing(chunks))
        async with aclosing(_payloads(chunks, deadline, timeouts.between_chunks)) as payloads:
            yield payloads
        await _drain(chunks)


async def _payloads(chunks: AsyncGenerator[bytes], deadline: float, between_chunks: float) -> AsyncGenerator[bytes]:
    loop = asyncio.get_running_loop()
    rest = b""
    while True:
        async with asyncio.timeout_at(deadline):
            chunk = await anext(chunks, None)
        deadline = loop.time() + between_chunks
        *lines, rest = (rest + (b"\n" if chunk is None else chunk)).split(b"\n")
        if len(rest) > MAX_LINE:
            raise ProviderFailed
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()
        if chunk is None:
            return


async def _drain(chunks: AsyncGenerator[bytes]) -> None:
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in chunks:
                pass
    except TimeoutError:
        pass  # it says nothing more and does not close: the connection is given up
