"""Control messages: what a company tells its models beside an assistant's own instructions, and how they answer.

They are set by staff and servers alone, for all of a tenant, for an endpoint, or for one conversation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from chatconnect.domain.errors import Invalid, NotFound
from chatconnect.domain.response_format import ResponseFormat

MAX_MESSAGES = 10
MAX_CHARACTERS = 4_000
MAX_ENDPOINTS = 20
CHAT, STREAM = "chat", "stream"
"""The endpoints that are there without being set: POST /v1/chat and POST /v1/chat/stream."""

_ENDPOINT = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Controls:
    """What holds at one level, or altogether. A `response_format` of None leaves it to the level around this one.

    In `messages` the words {company}, {assistant} and {refusal} stand for the tenant's values.
    """

    messages: tuple[str, ...] = ()
    response_format: ResponseFormat | None = None

    def __post_init__(self) -> None:
        _check_messages("messages", self.messages)


@dataclass(frozen=True, slots=True)
class TenantControls:
    """What holds for all of a tenant's assistants, and beside it for endpoints by their names."""

    messages: tuple[str, ...] = ()
    endpoints: Mapping[str, Controls] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        _check_messages("messages", self.messages)
        if len(self.endpoints) > MAX_ENDPOINTS or not all(map(_ENDPOINT.fullmatch, self.endpoints)):
            raise Invalid(
                f"there are at most {MAX_ENDPOINTS} endpoints, with names of 1 to 40 of a-z, 0-9, - and _",
                details={"field": "endpoints"},
            )

    def at(self, endpoint: str) -> Controls:
        """Return what holds at an endpoint. Raises NotFound for one that the tenant has not set up."""
        if endpoint not in self.endpoints and endpoint not in (CHAT, STREAM):
            raise NotFound("endpoint", endpoint)
        return self.endpoints.get(endpoint, NO_CONTROLS)


def in_force(
    tenant: TenantControls, endpoint: str, assistant: ResponseFormat, conversation: Controls
) -> tuple[tuple[str, ...], ResponseFormat]:
    """Return the messages of all levels, the widest first, and the format of the narrowest that has one.

    Raises NotFound for an endpoint that the tenant has not set up.
    """
    there = tenant.at(endpoint)
    messages = (*tenant.messages, *there.messages, *conversation.messages)
    return messages, conversation.response_format or there.response_format or assistant


def _check_messages(name: str, messages: tuple[str, ...]) -> None:
    if len(messages) > MAX_MESSAGES:
        raise Invalid(f"there are at most {MAX_MESSAGES} control messages", details={"field": name})
    for number, text in enumerate(messages):
        if not text.strip() or len(text) > MAX_CHARACTERS or "\0" in text:
            raise Invalid(
                f"a control message has 1 to {MAX_CHARACTERS:,} characters", details={"field": f"{name}.{number}"}
            )


NO_CONTROLS = Controls()
