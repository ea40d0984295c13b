"""One table from our error tree to HTTP statuses, apart from the framework, which not every function loads."""

from collections.abc import Mapping

from chatconnect.domain.errors import (
    ChatConnectError,
    Conflict,
    DocumentRejected,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    Unauthenticated,
    Unavailable,
)

STATUS: Mapping[type[ChatConnectError], int] = {
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    DocumentRejected: 422,
    LimitReached: 429,
    Unavailable: 503,
    ChatConnectError: 500,
}


def status_of(error: ChatConnectError) -> int:
    """Return the HTTP status of one of our errors."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
