"""What a request can be answered with instead of a result."""


class RequestError(Exception):
    """A request that is refused; `status` is its HTTP status."""

    status = 400


class BadRequest(RequestError):
    """The request is malformed, or asks for something that this server does not do."""


class NotFound(RequestError):
    """The collection, point or route does not exist."""

    status = 404


class Conflict(RequestError):
    """The collection exists already."""

    status = 409


def collection_missing(name: str) -> NotFound:
    """Return the error for a collection that does not exist, in Qdrant's words."""
    return NotFound(f"Not found: Collection `{name}` doesn't exist!")
