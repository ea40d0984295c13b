"""One collection: an engine shard, its settings, and the care for its index."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Self

import orjson
import qdrant_edge as edge

from local.parent import die_with_parent
from local.qdrant.errors import collection_missing
from local.qdrant.schema import to_config, vector_sizes

# Changed points before the index is rebuilt; a full scan of fewer takes the engine about 2 ms.
OPTIMIZE_AFTER = int(os.environ.get("QDRANT_OPTIMIZE_AFTER", "10000"))
QUIET = 1.0  # seconds without a write before flushing or optimising

_ABOUT = "collection.json"


class Collection:
    """A collection that survives a kill: the engine logs each write ahead, settings are replaced atomically.

    Reads go to the current shard from any thread. Writes take turns. Optimising works on a copy in another
    process; the writes that arrive meanwhile go to both, and then the copy takes over.
    """

    def __init__(self, path: Path, about: dict[str, Any], shard: edge.EdgeShard) -> None:
        """Take over an open `shard`; `about` is what is known of it on disk."""
        self._path, self._about, self._shard = path, about, shard
        self._writing = threading.Lock()
        self._missed_by_copy: list[edge.UpdateOperation] | None = None
        self._closed = False
        self._optimizer: subprocess.Popen[bytes] | None = None
        self._operations = 0
        self._unflushed = False
        self._last_write = 0.0
        self._changed: int = max(0, shard.info().points_count - about["optimized_points"])

    @staticmethod
    def is_at(path: Path) -> bool:
        """Say whether `path` holds a whole collection."""
        return (path / _ABOUT).exists()

    @classmethod
    def create(cls, path: Path, settings: dict[str, Any]) -> Self:
        """Make an empty collection at `path`; raise BadRequest when `settings` are not understood."""
        config = to_config(settings)
        if path.exists():
            shutil.rmtree(path)
        about = {"settings": settings, "indexes": {}, "shard": 0, "optimized_points": 0}
        (path / "0").mkdir(parents=True)
        collection = cls(path, about, edge.EdgeShard.create(str(path / "0"), config))
        collection._remember()
        return collection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Load the collection at `path`, and clear away copies that were left half-made."""
        about = orjson.loads((path / _ABOUT).read_bytes())
        current = str(about["shard"])
        for entry in path.iterdir():
            if entry.is_dir() and entry.name != current:
                shutil.rmtree(entry)
        return cls(path, about, edge.EdgeShard.load(str(path / current)))

    @property
    def shard(self) -> edge.EdgeShard:
        """The shard to read from."""
        return self._shard

    @property
    def settings(self) -> dict[str, Any]:
        """The settings it was created with."""
        settings: dict[str, Any] = self._about["settings"]
        return settings

    @property
    def vector_sizes(self) -> dict[str, int | None]:
        """The size of each vector by name, None for a sparse one; a single unnamed one is named ''."""
        return vector_sizes(self.settings)

    @property
    def indexes(self) -> dict[str, Any]:
        """The payload indexes by field, as they were asked for."""
        indexes: dict[str, Any] = self._about["indexes"]
        return indexes

    def update(self, operation: edge.UpdateOperation, changed: int = 0) -> int:
        """Apply one write that changes about `changed` points; return its number."""
        with self._writing:
            return self._apply(operation, changed)

    def create_index(self, field: str, schema: Any, operation: edge.UpdateOperation) -> int:
        """Index a payload field and remember how."""
        with self._writing:
            number = self._apply(operation, 0)
            self.indexes[field] = schema
            self._remember()
            return number

    def delete_index(self, field: str) -> int:
        """Drop the index of a payload field, if there is one."""
        with self._writing:
            number = self._apply(edge.UpdateOperation.delete_field_index(field), 0)
            self.indexes.pop(field, None)
            self._remember()
            return number

    def needs_care(self) -> bool:
        """Say whether there is something to flush or optimise, and the writers have paused or gone on for long."""
        if self._closed:
            return False
        if time.monotonic() - self._last_write < QUIET:
            return self._changed >= 5 * OPTIMIZE_AFTER
        return self._unflushed or self._changed >= OPTIMIZE_AFTER

    def care(self) -> None:
        """Flush, and rebuild the index when enough has changed; takes seconds for a large collection."""
        optimizer = self._flush_and_start_optimizer()
        if optimizer is None:
            return
        try:
            self._finish(optimizer.wait())
        finally:
            self._optimizer, self._missed_by_copy = None, None

    def close(self) -> None:
        """Write everything to disk and release the files."""
        with self._writing:
            self._stop_optimizer()
            self._flush()
            self._shard.close()

    def drop(self) -> None:
        """Delete the files; reads that are under way still finish."""
        with self._writing:
            self._stop_optimizer()
            (self._path / _ABOUT).unlink()
            shutil.rmtree(self._path)

    def _apply(self, operation: edge.UpdateOperation, changed: int) -> int:
        if self._closed:  # deleted while this write was on its way
            raise collection_missing(self._path.name)
        self._shard.update(operation)
        if self._missed_by_copy is not None:
            self._missed_by_copy.append(operation)
        self._unflushed, self._last_write = True, time.monotonic()
        self._changed += changed
        self._operations += 1
        return self._operations

    def _flush(self) -> None:
        if self._unflushed:
            self._shard.flush()
            self._unflushed = False

    def _flush_and_start_optimizer(self) -> subprocess.Popen[bytes] | None:
        """Set a process to work on a copy of the shard, if one is due."""
        with self._writing:
            if self._closed:
                return None
            self._flush()
            if self._changed < OPTIMIZE_AFTER:
                return None
            copy = self._path / str(self._about["shard"] + 1)
            shutil.rmtree(copy, ignore_errors=True)  # what an attempt that failed has left
            shutil.copytree(self._path / str(self._about["shard"]), copy)
            self._changed, self._missed_by_copy = 0, []
            command = [sys.executable, "-m", "local.qdrant.optimize", str(copy)]
            self._optimizer = subprocess.Popen(command, preexec_fn=die_with_parent)
            return self._optimizer

    def _finish(self, failed: int) -> None:
        with self._writing:
            if self._closed:
                return
            if failed:
                raise RuntimeError(f"optimising {self._path.name} failed with status {failed}")
            self._switch_to(self._about["shard"] + 1)

    def _stop_optimizer(self) -> None:
        self._closed = True
        if self._optimizer is not None:
            self._optimizer.kill()
            self._optimizer.wait()

    def _switch_to(self, copy: int) -> None:
        fresh = edge.EdgeShard.load(str(self._path / str(copy)))
        for operation in self._missed_by_copy or ():
            fresh.update(operation)
        old = self._path / str(self._about["shard"])
        self._about |= {"shard": copy, "optimized_points": fresh.info().points_count}
        self._remember()
        self._shard = fresh
        shutil.rmtree(old)  # a read that still has the old shard keeps its open files

    def _remember(self) -> None:
        written = self._path / f"{_ABOUT}.new"
        written.write_bytes(orjson.dumps(self._about))
        written.replace(self._path / _ABOUT)
