"""Which addresses are reached on a tenant's wish: those of the public internet."""

import asyncio
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from chatconnect.domain.addresses import DEFAULT_PORTS
from chatconnect.domain.errors import Invalid
from chatconnect.ports.tools import ToolFailed

_SECONDS = 5.0
# Public by number, yet a cloud's inside.
_METADATA = frozenset({ip_address("168.63.129.16"), ip_address("169.254.169.254"), ip_address("100.100.100.200")})
_SPECIAL = (ip_network("192.0.0.0/24"), ip_network("fec0::/10"))  # kept for protocols, and once private
_TRANSLATED = ip_network("64:ff9b::/96")  # IPv6 that a gateway turns into the IPv4 address in its last four bytes


async def public_address(host: str, port: int, *, allow_loopback: bool = False) -> str:
    """Return the address to connect to: one of the host's, when all of them are public. Raises ToolFailed.

    The caller has to connect to this very address: asked again, a name server may say something else.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ToolFailed("the endpoint's host is not known") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address, allow_loopback=allow_loopback) for address in addresses):
        raise ToolFailed("the endpoint's address is not public")
    return addresses[0]


class ResolvedAddresses:
    """Asks the name server. `allow_loopback` is for one machine: its own addresses count as public then."""

    def __init__(self, *, allow_loopback: bool = False) -> None:
        self._allow_loopback = allow_loopback

    async def check(self, url: str) -> None:
        """Raise Invalid with code "address_not_public" unless the URL's host is known and all its addresses public."""
        parts = urlsplit(url)
        try:
            async with asyncio.timeout(_SECONDS):
                await public_address(
                    parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme], allow_loopback=self._allow_loopback
                )
        except (ToolFailed, TimeoutError):
            raise Invalid(
                "the base URL's host is not known, or not a public one",
                code="address_not_public",
                details={"field": "base_url"},
            ) from None


def is_public(text: str, *, allow_loopback: bool = False) -> bool:
    """Say whether an address is one of the public internet, in whatever other form it may be written."""
    try:
        address = ip_address(text)
    except ValueError:
        return False  # with a zone, or none at all
    if inner := _inner(address):
        return is_public(str(inner), allow_loopback=allow_loopback)
    if address.is_loopback:
        return allow_loopback
    special = (
        address.is_private
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    reserved = address in _METADATA or any(address in network for network in _SPECIAL)
    return address.is_global and not special and not reserved


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for."""
    if isinstance(address, IPv4Address):
        return None
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
