"""Addresses outside that a tenant names, of models, tools and knowledge: what they may look like, and who is there."""

from urllib.parse import urlsplit

from chatconnect.domain.errors import Invalid

Origin = tuple[str, str | None, int | None]
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_URL = 2_000


def origin_of(url: str) -> Origin:
    """Return scheme, host and port: who it is that an address leads to. Raises Invalid."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        raise Invalid("the URL cannot be used: it is no address", details={"field": "url"}) from None


def is_reachable(url: str) -> bool:
    """Whether it is an http(s) address of a server, without a user, in visible ASCII and of a length that is sent."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return named and "@" not in parts.netloc and len(url) <= MAX_URL and all("!" <= c <= "~" for c in url)


def check_base_url(url: str) -> None:
    """Raise Invalid unless requests can be sent to addresses below this one."""
    if not is_reachable(url) or any(c in url for c in "@?#"):
        raise Invalid(
            f"the base URL is an http(s) address of at most {MAX_URL:,} characters, with no user, query or fragment",
            details={"field": "base_url"},
        )


def check_https(url: str, *, field: str, allow_http: bool) -> None:
    """Raise Invalid unless the address is of https, or of anything where plain http will do, too."""
    if not allow_http and not url.startswith("https://"):
        raise Invalid("this has to be an https address", details={"field": field})
