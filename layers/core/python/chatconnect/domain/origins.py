"""Which websites may use a widget."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from chatconnect.domain.addresses import DEFAULT_PORTS
from chatconnect.domain.errors import Forbidden, Invalid

_LOOPBACK = ("localhost", "127.0.0.1")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def checked_domain(pattern: str) -> str:
    """Return an allowed-domain pattern in the form it is compared in.

    A pattern is a host ("example.com"), a host with a port ("example.com:8443"), or all subdomains of one
    ("*.example.com", which does not include example.com itself). Without a port it stands for https on 443 and http on
    80; a loopback host without a port stands for any port. An address of IPv6 is none: it cannot be a website's name.
    Raises Invalid with code "invalid_domain".
    """
    text = pattern.strip().lower()
    host = text.removeprefix("*.")
    try:
        parts = urlsplit(f"//{host}")
        port = parts.port
        name = _ascii(parts.hostname or "")
    except ValueError:  # UnicodeError is one
        name, port = "", None
    if not _HOST.fullmatch(name) or port == 0 or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise Invalid("this is not a domain", code="invalid_domain", details={"field": "allowed_domains"})
    if text != host and "." not in name:
        raise Invalid("a wildcard needs a full domain", code="invalid_domain", details={"field": "allowed_domains"})
    return ("*." if text != host else "") + name + (f":{port}" if port else "")


def check_origin(origin: str | None, allowed: Iterable[str]) -> str:
    """Return the origin (scheme://host[:port]) when one of the checked patterns allows it.

    Raises Forbidden with code "origin_required" when there is none (or it is opaque, "null"), "origin_not_allowed"
    when no pattern fits.
    """
    if not origin or origin == "null":
        raise Forbidden("this key works only from a website", code="origin_required")
    if not is_website(origin) or not any(_matches(origin, pattern) for pattern in allowed):
        raise Forbidden("this website may not use this widget", code="origin_not_allowed")
    return origin


def is_website(origin: str) -> bool:
    """Whether it is the origin of a page that a web server gave out: not opaque ("null"), and of http or https."""
    try:
        parts = urlsplit(origin.lower())
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    bare = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    return named and bare and parts.scheme in DEFAULT_PORTS and origin.isascii() and origin.isprintable()


def _ascii(host: str) -> str:
    """Return the host as browsers send it. Raises UnicodeError when that would make another name of it (ß to ss)."""
    name = host.rstrip(".").encode("idna")
    if not host.isascii() and name.decode("idna") != host.rstrip("."):
        raise UnicodeError
    return name.decode()


def _matches(origin: str, pattern: str) -> bool:
    site, wanted = urlsplit(origin.lower()), urlsplit(f"//{pattern.removeprefix('*.')}")
    host, name, default = site.hostname or "", wanted.hostname or "", DEFAULT_PORTS[site.scheme]
    right_port = (site.port or default) == (wanted.port or default)
    if pattern.startswith("*."):
        return right_port and host.endswith(f".{name}") and len(host) > len(name) + 1
    return host == name and (right_port or (name in _LOOPBACK and wanted.port is None))
