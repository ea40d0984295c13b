"""Live messages as they went out."""

from typing import Any

from chatconnect.ports.realtime import Audience, Message


class MemoryPublisher:
    """Keeps what was published, and to whom."""

    def __init__(self) -> None:
        self.published: list[tuple[Audience, Message]] = []

    async def publish(self, audience: Audience, message: Message) -> None:
        self.published.append((audience, message))

    @property
    def documents(self) -> list[dict[str, Any]]:
        """What was said of documents."""
        return [dict(message["document"]) for _, message in self.published if isinstance(message["document"], dict)]
