"""The collections on disk, one directory each."""

import re
import shutil
import threading
from pathlib import Path
from typing import Any

from local.qdrant.collection import Collection
from local.qdrant.errors import BadRequest, Conflict, collection_missing

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,254}")


class Store:
    """All collections under one directory; safe to use from several threads."""

    def __init__(self, directory: Path) -> None:
        """Open what `directory` holds, creating it when it is not there."""
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._changing = threading.Lock()
        self._collections: dict[str, Collection] = {}
        for path in sorted(directory.iterdir()):
            if Collection.is_at(path):
                self._collections[path.name] = Collection.open(path)
            else:  # a creation or deletion that was cut short
                shutil.rmtree(path)

    def names(self) -> list[str]:
        """Return the names of all collections in alphabetical order."""
        return sorted(self._collections)

    def __contains__(self, name: str) -> bool:
        return name in self._collections

    def __iter__(self) -> Any:
        return iter(list(self._collections.values()))

    def get(self, name: str) -> Collection:
        """Return the collection; raise NotFound when there is none of that name."""
        try:
            return self._collections[name]
        except KeyError:
            raise collection_missing(name) from None

    def create(self, name: str, settings: dict[str, Any]) -> None:
        """Create a collection; raise Conflict when the name is taken, BadRequest when it is not a name."""
        if not _NAME.fullmatch(name):
            raise BadRequest(f"Wrong input: `{name}` cannot be the name of a collection")
        with self._changing:
            if name in self._collections:
                raise Conflict(f"Wrong input: Collection `{name}` already exists!")
            self._collections[name] = Collection.create(self._directory / name, settings)

    def delete(self, name: str) -> bool:
        """Delete a collection with its files; say whether there was one."""
        with self._changing:
            collection = self._collections.pop(name, None)
        if collection is None:
            return False
        collection.drop()
        return True

    def close(self) -> None:
        """Write everything to disk and let go of it."""
        for collection in self:
            collection.close()
