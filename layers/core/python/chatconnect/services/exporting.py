"""Writes archives: a ZIP of JSON Lines, table by table, and of a tenant the files of its documents, too.

A run ends when its time is over, and the next one goes on behind the last part that was stored; a process that is
killed costs at most one part. In memory there are at any time a page of rows or a file, and a part; on disk, a few
files.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from chatconnect.domain.data_rights import ARCHIVE_KEPT, DataRequest, RequestStatus
from chatconnect.domain.errors import NotFound
from chatconnect.ports.clock import Clock
from chatconnect.ports.data_rights import Archives, DataRequestsOf, Original, Records, RecordsOf, Seal, Whose
from chatconnect.ports.uploads import Uploads
from chatconnect.services.archive_writer import PART_BYTES, ArchiveWriter
from chatconnect.services.held_requests import HeldRequests

ROWS = 500
_FILES = 10  # at a time: each takes its time to come, however small it is
_ORIGINALS, _END = "originals", "end"  # the last steps; no table is called so


@dataclass
class _Run:
    """An export in the hands of one process. What it has stored is in `request.progress`; the rest is done again."""

    request: DataRequest
    writer: ArchiveWriter
    upload: str
    tags: list[str]
    step: str = ""
    after: Sequence[str] | None = None
    page: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, request: DataRequest) -> "_Run":
        progress = request.progress
        writer = ArchiveWriter(progress["entries"], progress["length"])
        place = {name: progress[name] for name in ("step", "after", "page")}
        return cls(request, writer, progress["upload"], [*progress["tags"]], counts={**progress["counts"]}, **place)

    @property
    def progress(self) -> Mapping[str, Any]:
        names = ("upload", "tags", "step", "after", "page", "counts")
        place = {name: getattr(self, name) for name in names}
        return {**place, "entries": self.writer.entries(), "length": self.writer.length}

    def enter(self, step: str) -> None:
        """Go on with another step."""
        self.step, self.after, self.page = step, None, 0

    def next_page(self) -> str:
        """Return the name of the next entry of the step."""
        self.page += 1
        return f"{self.step}/{self.page:05}.jsonl"

    def counted(self, rows: int) -> None:
        """Add to what the archive has of the step."""
        self.counts[self.step] = self.counts.get(self.step, 0) + rows


class ExportService:
    """Goes on with exports."""

    def __init__(
        self,
        *,
        requests_of: DataRequestsOf,
        records_of: RecordsOf,
        archives: Archives,
        uploads: Uploads,
        seal: Seal,
        clock: Clock,
    ) -> None:
        self._held = HeldRequests(requests_of=requests_of, seal=seal, clock=clock)
        self._records_of, self._archives, self._uploads, self._clock = records_of, archives, uploads, clock

    async def advance(self, request: DataRequest, ends_at: float) -> DataRequest:
        """Go on with an export that the caller has claimed until time.monotonic() says `ends_at`; return how it stands.

        Raises Conflict when it was taken away meanwhile, NotFound when the visitor is gone, Unavailable.
        """
        records = self._records_of(request.tenant_id)
        whose = Whose() if request.visitor_id is None else Whose(await records.people(request.visitor_id))
        run = _Run.of(request if await self._can_go_on(request) else await self._begun(request))
        steps = [*await records.exported_tables(whose), *([_ORIGINALS] if whose.visitors is None else []), _END]
        if run.step not in steps:
            run.enter(steps[0])
        while run.step != _END:
            more = await (self._add_files(run, records) if run.step == _ORIGINALS else _add_rows(run, records, whose))
            if not more:
                run.enter(steps[steps.index(run.step) + 1])
            if run.writer.pending >= PART_BYTES:
                await self._store(run)
            run.request = await self._held.hold(run.request)
            if more and time.monotonic() >= ends_at:
                return await self._held.put_off(run.request)
        return await self._finished(run)

    async def remove(self, request: DataRequest) -> DataRequest:
        """Remove an archive whose time is over. Raises Conflict, Unavailable."""
        await self._archives.remove(request.archive_key)
        return await self._held.keep(request, status=RequestStatus.EXPIRED, progress={}, next_at=None)

    async def _can_go_on(self, request: DataRequest) -> bool:
        """Say whether there is an upload to go on with: the store gives it up after a day, or it was completed by a
        run that could not say so any more.
        """
        progress = request.progress
        return bool(progress) and await self._archives.is_open(request.archive_key, progress["upload"])

    async def _begun(self, request: DataRequest) -> DataRequest:
        await self._archives.remove(request.archive_key)  # of a run that ended before it could say that it had begun
        upload = await self._archives.begin(request.archive_key)
        nothing = {"tags": [], "entries": [], "length": 0, "step": "", "after": None, "page": 0, "counts": {}}
        return await self._held.go_on(request, {"upload": upload, **nothing})

    async def _add_files(self, run: _Run, records: Records) -> bool:
        """Add the next files of documents, and say whether there may be more."""
        originals = await records.originals(UUID(run.after[0]) if run.after else None, _FILES)
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / str(original.version_id) for original in originals]
            fetching = (self._is_fetched(original, path) for original, path in zip(originals, paths, strict=True))
            # All of them come to their end, before the folder goes.
            fetched = await asyncio.gather(*fetching, return_exceptions=True)
            for original, path, is_there in zip(originals, paths, fetched, strict=True):
                if isinstance(is_there, BaseException):
                    raise is_there
                run.after = [str(original.version_id)]
                if not is_there:
                    continue
                await run.writer.add(original.name, await asyncio.to_thread(path.read_bytes))
                run.counted(1)
                if run.writer.pending >= PART_BYTES:
                    await self._store(run)
        return len(originals) == _FILES

    async def _is_fetched(self, original: Original, path: Path) -> bool:
        """Write a file to a path; False when it was promised, and never uploaded."""
        try:
            await self._uploads.fetch(original.key, path)
        except NotFound:
            return False
        return True

    async def _store(self, run: _Run) -> None:
        """Store what there is as a part, and note that the next run begins behind it."""
        await self._put_part(run)
        run.request = await self._held.go_on(run.request, run.progress)

    async def _put_part(self, run: _Run) -> None:
        key, number = run.request.archive_key, len(run.tags) + 1
        run.tags.append(await self._archives.put_part(key, run.upload, number, run.writer.take()))

    async def _finished(self, run: _Run) -> DataRequest:
        request, now = run.request, self._clock()
        contents = {
            "request_id": str(request.id),
            "tenant_id": str(request.tenant_id),
            "visitor_id": str(request.visitor_id) if request.visitor_id else None,
            "made_at": now.isoformat(),
            "rows": run.counts,
        }
        await run.writer.add("manifest.json", json.dumps(contents, indent=2).encode())
        await run.writer.end()
        await self._put_part(run)  # noted nowhere: nothing can be added behind the directory, so it would be made again
        await self._archives.complete(request.archive_key, run.upload, run.tags)
        receipt = {**contents, "kind": request.kind.value, "bytes": run.writer.length}
        kept_until = now + ARCHIVE_KEPT
        return await self._held.finish(
            request, receipt, progress={}, finished_at=now, expires_at=kept_until, next_at=kept_until
        )


async def _add_rows(run: _Run, records: Records, whose: Whose) -> bool:
    """Add a page of a table, and say whether there may be more."""
    page = await records.page(run.step, whose, after=run.after, limit=ROWS)
    if page.lines:
        await run.writer.add(run.next_page(), "".join(f"{line}\n" for line in page.lines).encode())
        run.counted(len(page.lines))
    run.after = page.after
    return page.after is not None
