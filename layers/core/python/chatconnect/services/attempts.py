"""How often passwords may be tried, and mails asked for, by whom.

An attempt is counted before it is made, so that many at once are no way around it; the right password gives an account
its attempts back. An address is a whole office at times, so it gets more. Somebody who keeps an account's attempts used
up keeps its owner from logging in, but not out of the sessions they have, and a new password by mail opens the way.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network

from chatconnect.ports.throttle import Allowance, Throttle

_QUARTER, _HOUR = 900, 3_600
_OF_ONE_HOUSEHOLD = 64  # bits of an IPv6 address: whoever has one has all that begin alike
PASSWORDS_OF_ACCOUNT = Allowance("passwords-of-account", 10, _QUARTER)
PASSWORDS_FROM_ADDRESS = Allowance("passwords-from-address", 100, _QUARTER)
REGISTRATIONS_FROM_ADDRESS = Allowance("registrations-from-address", 20, _HOUR)
RESETS_FROM_ADDRESS = Allowance("resets-from-address", 20, _HOUR)
RESETS_TO_ADDRESS = Allowance("resets-to-address", 3, _HOUR)
INVITATIONS_TO_ADDRESS = Allowance("invitations-to-address", 5, _HOUR)
INVITATIONS_OF_TENANT = Allowance("invitations-of-tenant", 100, _HOUR)


@dataclass(frozen=True, slots=True)
class Client:
    """Whose program asks: from which network address, None for this computer's own, and what it calls itself."""

    address: str | None
    device: str = ""


class Attempts:
    """Counts attempts. Everything but `passed` raises LimitReached with code "too_many_attempts"."""

    def __init__(self, throttle: Throttle) -> None:
        self._throttle = throttle

    async def try_password(self, client: Client, email: str) -> None:
        """Count the attempt to prove who one is; unknown addresses count as known ones do."""
        await self.count_from(client, PASSWORDS_FROM_ADDRESS)
        await self._throttle.count(PASSWORDS_OF_ACCOUNT, email)

    async def passed(self, email: str) -> None:
        """Give an account its attempts back."""
        await self._throttle.forget(PASSWORDS_OF_ACCOUNT, email)

    async def count_from(self, client: Client, allowance: Allowance) -> None:
        """Count something for the client's network address."""
        if client.address is not None:
            await self._throttle.count(allowance, _household(client.address))

    async def count(self, allowance: Allowance, subject: object) -> None:
        """Count something for whatever it is about."""
        await self._throttle.count(allowance, str(subject))


def _household(address: str) -> str:
    """Return what an address is counted as: itself, or the network that a connection with IPv6 is given."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return address
    return str(parsed.ipv4_mapped or ip_network((parsed, _OF_ONE_HOUSEHOLD), strict=False))
