"""The HTTP face: routes, threads, and Qdrant's own answers and errors."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local.qdrant import operations as do
from local.qdrant.errors import BadRequest, RequestError
from local.qdrant.store import Store

# The release whose API this follows; clients compare it with their own.
VERSION = "1.20.0"

_logger = logging.getLogger("local.qdrant")
# Parameters of a cluster or of waiting: every answer here is final, so they change nothing.
_PARAMETERS = frozenset({"wait", "ordering", "timeout", "consistency"})

_ROUTES: list[tuple[str, str, Callable[..., Any]]] = [
    ("GET", "/collections", do.list_collections),
    ("GET", "/collections/{name}", do.describe_collection),
    ("PUT", "/collections/{name}", do.create_collection),
    ("DELETE", "/collections/{name}", do.delete_collection),
    ("GET", "/collections/{name}/exists", do.collection_exists),
    ("PUT", "/collections/{name}/index", do.create_index),
    ("DELETE", "/collections/{name}/index/{field}", do.delete_index),
    ("PUT", "/collections/{name}/points", do.upsert),
    ("POST", "/collections/{name}/points", do.retrieve),
    ("GET", "/collections/{name}/points/{point}", do.retrieve_one),
    ("POST", "/collections/{name}/points/delete", do.delete),
    ("POST", "/collections/{name}/points/scroll", do.scroll),
    ("POST", "/collections/{name}/points/count", do.count),
    ("POST", "/collections/{name}/points/query", do.query),
    ("POST", "/collections/{name}/points/query/batch", do.query_batch),
    ("POST", "/collections/{name}/points/payload", do.set_payload),
    ("PUT", "/collections/{name}/points/payload", do.overwrite_payload),
    ("POST", "/collections/{name}/points/payload/delete", do.delete_payload),
    ("POST", "/collections/{name}/points/payload/clear", do.clear_payload),
]


def make_app(directory: Path) -> Starlette:
    """Return the server of the collections under `directory`."""
    threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="engine")

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.store = store = await _in(threads, Store, directory)
        care = asyncio.create_task(_take_care(store))
        yield
        await _in(threads, store.close)
        care.cancel()
        threads.shutdown()

    return Starlette(
        routes=[
            Route("/", _version, methods=["GET"]),
            *(Route(path, _alive, methods=["GET"]) for path in ("/healthz", "/livez", "/readyz")),
            *(Route(path, _endpoint(operation, threads), methods=[verb]) for verb, path, operation in _ROUTES),
        ],
        exception_handlers={HTTPException: _no_route, Exception: _unexpected},
        lifespan=lifespan,
    )


def _in(threads: ThreadPoolExecutor, function: Callable[..., Any], *arguments: Any) -> Awaitable[Any]:
    return asyncio.get_running_loop().run_in_executor(threads, function, *arguments)


def _endpoint(operation: Callable[..., Any], threads: ThreadPoolExecutor) -> Callable[..., Any]:
    async def endpoint(request: Request) -> Response:
        started = time.perf_counter()
        store, body = request.app.state.store, await request.body()
        status, content = await _in(
            threads, partial(_answer, operation, store, body, request.query_params, request.path_params)
        )
        return _json(status, content, started)

    return endpoint


def _answer(
    operation: Callable[..., Any], store: Store, body: bytes, parameters: Any, path: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    """Run one operation on the calling thread; return its status and content."""
    if unknown := set(parameters) - _PARAMETERS:
        return BadRequest.status, _failure(f"Wrong input: unsupported parameter `{unknown.pop()}`")
    try:
        return 200, {"result": operation(store, _parsed(body), **path), "status": "ok"}
    except RequestError as error:
        return error.status, _failure(str(error))
    except (TypeError, ValueError, OverflowError) as error:  # the engine: a value that does not fit
        return 400, _failure(f"Format error in JSON body: {error}")
    except Exception as error:
        if type(error) is not Exception:
            raise
        return 400, _failure(f"Wrong input: {error}")  # the engine raises bare Exceptions for what it refuses


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"Format error in JSON body: {error}") from error


async def _take_care(store: Store) -> None:
    """Flush and optimise collections whenever their writers pause."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="care") as thread:
        while True:
            await asyncio.sleep(0.5)
            for collection in store:
                if collection.needs_care():
                    try:
                        await _in(thread, collection.care)
                    except Exception:  # whatever it is, the other collections still need care
                        _logger.exception("caring for a collection failed")


async def _version(_request: Request) -> Response:
    content = {"title": "qdrant - vector search engine", "version": VERSION}
    return Response(orjson.dumps(content), media_type="application/json")


async def _alive(_request: Request) -> Response:
    return PlainTextResponse("healthz check passed")


async def _no_route(request: Request, _error: Exception) -> Response:
    return _json(404, _failure(f"Not found: {request.method} {request.url.path}"), time.perf_counter())


async def _unexpected(_request: Request, error: Exception) -> Response:
    return _json(500, _failure(f"Service internal error: {error!r}"), time.perf_counter())


def _failure(message: str) -> dict[str, Any]:
    return {"status": {"error": message}}


def _json(status: int, content: dict[str, Any], started: float) -> Response:
    content["time"] = time.perf_counter() - started
    return Response(orjson.dumps(content), status_code=status, media_type="application/json")
