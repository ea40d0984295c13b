"""Where a request comes from, for the audit log."""

from fastapi import Request

from chatconnect.domain.audit import Origin, network_of
from chatconnect.observability import trace_id
from chatconnect.ports.audit import origin


async def request_origin(request: Request) -> None:
    """Note where the request comes from; authentication adds who it is.

    To be the first dependency of every route that changes something which the log tells of. On AWS the address is API
    Gateway's word and not a header's.
    """
    address = network_of(request.client.host) if request.client else None
    origin.set(Origin(address, trace_id.get()))
