"""Where requests may be sent on a tenant's wish."""

from typing import Protocol


class PublicAddresses(Protocol):
    """Knows which addresses belong to the public internet."""

    async def check(self, url: str) -> None:
        """Raise Invalid with code "address_not_public" unless the URL's host is known and all its addresses public."""
        ...
