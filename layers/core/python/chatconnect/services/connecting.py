"""Who may hear what over a WebSocket, and for how long."""

from dataclasses import dataclass

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.secret import Secret
from chatconnect.domain.session import ACCESS_TOKEN_SECONDS
from chatconnect.ports.realtime import Audience
from chatconnect.services.access import AccessService
from chatconnect.services.chat_tokens import CHAT_TOKEN_SECONDS


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token lets somebody hear, and for how many seconds at most before they show one again.

    That is as long as a token of that kind lives: whoever may no longer hear is let hear for so long at most.
    """

    audience: Audience
    seconds: int


class ConnectingService:
    """Turns tokens into audiences. Secret keys, which never run out, are not taken: the token is part of an address."""

    def __init__(self, access: AccessService) -> None:
        self._access = access

    async def grant(self, token: Secret, origin: str | None = None) -> Grant:
        """Return what a member's access token, or a visitor's chat token, lets hear.

        `origin` is the website that a browser says it comes from. Raises Unauthenticated, Forbidden.
        """
        try:
            visitor = await self._access.visitor(token)
        except Unauthenticated as error:
            if error.code != "token_invalid":
                raise
            staff = await self._access.staff(token)
            return Grant(Audience(staff.tenant_id), ACCESS_TOKEN_SECONDS)
        if origin is not None:
            visitor.check_website(origin)
        return Grant(Audience(visitor.tenant_id, visitor.visitor_id), CHAT_TOKEN_SECONDS)
