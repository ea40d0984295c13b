"""Which addresses an answer may link to."""

import re
from collections.abc import Callable, Iterable

from chatconnect.domain.errors import Forbidden
from chatconnect.domain.origins import check_origin

ADDRESS = re.compile(r"""[a-z][a-z0-9+.-]{0,15}://[^\s<>"'`|\[\]\\^{}]{1,2000}""", re.IGNORECASE)
AFTER_ADDRESS = ".,;:!?)*_~"
"""What ends a sentence or closes a bracket, and no address."""

# Without a query: whatever stands there could be the visitor's words, carried off by a click.
_PLAIN = re.compile(r"(?P<origin>https?://[a-z0-9.-]+(?::\d{1,5})?)(?:/[\w.~/%+,=@-]*)?(?:#[\w-]*)?", re.ASCII)
_MAIL = re.compile(r"mailto:(?P<address>[\w.+-]+@[\w.-]+)", re.ASCII)


class AllowedLinks:
    """Allows pages of the company's own websites, and whatever stands in the texts that an answer is made from.

    `domains` are allowed-domain patterns; `texts` returns instructions and passages, and is asked when it matters. An
    address from those texts is allowed as it stands there and no other way: a model can put nothing into it.
    """

    def __init__(self, domains: Iterable[str], texts: Callable[[], Iterable[str]]) -> None:
        self._domains, self._texts = tuple(domains), texts

    def allows(self, address: str) -> bool:
        """Whether an answer may link there."""
        if mail := _MAIL.fullmatch(address):
            return any(mail["address"] in text for text in self._texts())
        if not ADDRESS.fullmatch(address) or not address.lower().startswith(("http://", "https://")):
            return False
        return self._is_own_page(address) or any(address in _addresses(text) for text in self._texts())

    def _is_own_page(self, address: str) -> bool:
        page = _PLAIN.fullmatch(address)
        if page is None:
            return False
        try:
            check_origin(page["origin"], self._domains)
        except Forbidden:
            return False
        return True


def _addresses(text: str) -> Iterable[str]:
    for match in ADDRESS.finditer(text):
        yield match[0]
        yield match[0].rstrip(AFTER_ADDRESS)
