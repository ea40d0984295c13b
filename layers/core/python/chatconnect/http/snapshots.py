"""What happens around the snapshot that a Lambda execution environment is restored from."""

import asyncio
import random
from collections.abc import Callable, Sequence
from importlib import import_module

from fastapi import FastAPI
from starlette.responses import Response

BEFORE_PATH = "/snapshot/before"
AFTER_PATH = "/snapshot/after"


def add_snapshot_hooks(app: FastAPI, before: Callable[[], None]) -> None:
    """Add the two paths that the Lambda Web Adapter posts to; to anybody else it answers them with 403 itself.

    `before` makes ready what takes long and connects nothing. Randomness is seeded anew after each restore: every
    environment comes from the same snapshot.
    """

    async def prepare() -> Response:
        await asyncio.to_thread(before)
        return Response(status_code=204)

    async def restored() -> Response:
        random.seed()
        return Response(status_code=204)

    app.add_api_route(BEFORE_PATH, prepare, methods=["POST"], include_in_schema=False)
    app.add_api_route(AFTER_PATH, restored, methods=["POST"], include_in_schema=False)


def import_ahead(modules: Sequence[str]) -> None:
    """Import what is otherwise imported when it is first needed."""
    for module in modules:
        import_module(module)
