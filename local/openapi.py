"""The contract of the whole API: the documents of all HTTP functions in one."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI


def merged_openapi(apps: Sequence[FastAPI]) -> dict[str, Any]:
    """Return one OpenAPI document with every path and schema of the apps.

    Raises ValueError when two of them call different schemas alike: one would stand for the other.
    """
    merged: dict[str, Any] = {"paths": {}, "components": {"schemas": {}, "securitySchemes": {}}}
    for app in apps:
        document = app.openapi()
        merged["openapi"] = document["openapi"]
        for path, operations in document["paths"].items():
            merged["paths"].setdefault(path, {}).update(operations)
        for kind, entries in document.get("components", {}).items():
            known = merged["components"].setdefault(kind, {})
            if alike := [name for name, entry in entries.items() if known.get(name, entry) != entry]:
                raise ValueError(f"two of the functions mean something else by {', '.join(alike)}")
            known.update(entries)
    for operations in merged["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)  # FastAPI's own for malformed requests; ours is 400
    merged["info"] = {"title": "ChatConnect", "version": "1"}
    return merged
