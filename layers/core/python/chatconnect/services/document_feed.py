"""Tells a tenant's staff live how far their documents are."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from chatconnect.domain.errors import Unavailable
from chatconnect.domain.knowledge import Progress, Version
from chatconnect.ports.realtime import Audience, Publisher

# Whoever watches hears something at least this often, and no count more often than that.
_LATEST_SECONDS = 1.5
_SOONEST_SECONDS = 0.3
# What was noted waits at most so long to be stored, for whoever asks instead of listening.
_STORED_SECONDS = 0.5

SetProgress = Callable[[Progress], Awaitable[None]]


class DocumentFeed:
    """Publishes where versions of documents stand. Never raises, and nothing depends on who hears it."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def tell(self, version: Version) -> None:
        """Say where a version stands."""
        await self._publisher.publish(Audience(version.tenant_id), {"type": "document", "document": _shown(version)})

    @asynccontextmanager
    async def following(self, version: Version, set_progress: SetProgress) -> AsyncIterator["Progressing"]:
        """Say at once that a version is being processed, and again and again how far it is until the block ends.

        `set_progress` stores what was only noted.
        """
        progressing = Progressing(self, version, set_progress)
        await self.tell(version)
        task = asyncio.create_task(progressing.tell_regularly())
        try:
            yield progressing
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


class Progressing:
    """How far a version is that is being processed."""

    def __init__(self, feed: DocumentFeed, version: Version, set_progress: SetProgress) -> None:
        self._feed, self._version, self._set_progress = feed, version, set_progress
        self._told_at = time.monotonic()
        self._noted: Progress | None = None
        self._storing = asyncio.Lock()

    async def reached(self, progress: Progress) -> None:
        """Store how far it is, and tell it."""
        async with self._storing:
            self._noted = None
            await self._set_progress(progress)
            self._version = replace(self._version, progress=progress)
        if time.monotonic() - self._told_at >= _SOONEST_SECONDS:
            await self._tell()

    def note(self, progress: Progress) -> None:
        """Note how far it is, from any thread: it is stored and told at the next occasion."""
        self._noted = progress

    @property
    def version(self) -> Version:
        """The version with its present progress."""
        return self._version

    async def tell_regularly(self) -> None:
        """Tell what was noted, or that there is nothing new, until cancelled."""
        while True:
            await asyncio.sleep(min(_STORED_SECONDS, max(0.05, self._told_at + _LATEST_SECONDS - time.monotonic())))
            async with self._storing:
                await self._store_noted()
            if time.monotonic() - self._told_at >= _LATEST_SECONDS:
                await self._tell()

    async def _store_noted(self) -> None:
        noted, self._noted = self._noted, None
        if noted is not None and noted != self._version.progress:
            with suppress(Unavailable):  # the next one will be stored
                await self._set_progress(noted)
            self._version = replace(self._version, progress=noted)

    async def _tell(self) -> None:
        self._told_at = time.monotonic()
        await self._feed.tell(self._version)


def _shown(version: Version) -> dict[str, object]:
    """Return what is told of a version, as the API shows it."""
    progress, failure = version.progress, version.failure
    return {
        "id": str(version.document_id),
        "version": version.number,
        "status": version.status.value,
        "progress": {"done": progress.done, "total": progress.total, "unit": progress.unit},
        "failure": {"code": failure.code, "message": failure.message} if failure else None,
    }
