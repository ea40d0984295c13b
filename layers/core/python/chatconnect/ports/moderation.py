"""What the services need to have a text judged."""

from typing import Protocol


class Moderator(Protocol):
    """Judges texts by a provider's categories."""

    async def categories(self, text: str) -> tuple[str, ...]:
        """Return the categories that a text falls under, none for a harmless one.

        Raises ProviderBusy, ProviderFailed.
        """
        ...
