"""Errors over HTTP: one shape for all."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from chatconnect.domain.errors import ChatConnectError
from chatconnect.http.codes import CODES
from chatconnect.http.limits import headers_of_refusal
from chatconnect.http.statuses import status_of
from chatconnect.observability import log_fault, trace_id

_SERVER_FAULT = 500
_LONGEST_FIELD = 100  # a field of a free-form object is named by the client
_BY_FRAMEWORK = {404: "no_such_route", 405: "method_not_allowed"}


class ErrorDetail(BaseModel):
    """What went wrong: `code` is stable, `message` is for people."""

    code: str = Field(examples=["rate_limited"], description=CODES)
    message: str
    details: dict[str, Any] = Field(default_factory=dict)
    trace_id: str


class ErrorBody(BaseModel):
    """The body of every error response."""

    error: ErrorDetail


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI entries for the errors that a route can answer with."""
    return {status: {"model": ErrorBody} for status in sorted({*statuses, 400, 500, 503})}


def response_to(error: ChatConnectError) -> JSONResponse:
    """Return the response that tells of an error; 429 and 503 say when to come back."""
    headers = headers_of_refusal(error)
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(retry_after)))
    return error_response(status_of(error), error.code, error.message, error.details, headers)


def error_response(
    status: int,
    code: str,
    message: str,
    details: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a response of the shape that all errors have."""
    body = {"code": code, "message": message, "details": dict(details or {}), "trace_id": trace_id.get()}
    return JSONResponse({"error": body}, status, headers=dict(headers or {}))


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error in our shape, including those of the framework."""

    @app.exception_handler(ChatConnectError)
    async def ours(_: Request, error: ChatConnectError) -> JSONResponse:
        if status_of(error) >= _SERVER_FAULT:
            log_fault("request failed", error)
        return response_to(error)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(400, "invalid_request", "the request is not valid", {"fields": _fields(error.errors())})

    @app.exception_handler(HTTPException)
    async def by_framework(_: Request, error: HTTPException) -> JSONResponse:
        code = _BY_FRAMEWORK.get(error.status_code, "invalid_request")
        return error_response(error.status_code, code, str(error.detail), headers=error.headers)


def _fields(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Name the fields and what is wrong with them, but never repeat their values.

    "Input should be a valid UUID, invalid character: found `x` at 1" would, so it is cut before the reason.
    """
    return [
        {
            "field": ".".join(map(str, e["loc"][1:] or e["loc"]))[:_LONGEST_FIELD],
            "message": str(e["msg"]).partition(", invalid")[0],
        }
        for e in errors[:20]
    ]
