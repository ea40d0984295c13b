"""Sending mail."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in plain text. The text may hold a token, so it is never printed or logged."""

    to: str
    subject: str
    text: str = field(repr=False)


class Mailer(Protocol):
    """Sends mail in the platform's name."""

    async def send(self, mail: Mail, /) -> None:
        """Hand the mail over for delivery. Raises Unavailable."""
        ...
