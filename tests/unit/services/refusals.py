"""What an attempt is refused with."""

from collections.abc import Awaitable

import pytest

from chatconnect.domain.errors import ChatConnectError


async def refusal(attempt: Awaitable[object], *kinds: type[ChatConnectError]) -> str:
    """Return the code of the error, of one of these kinds, that an attempt ends in."""
    with pytest.raises(kinds or ChatConnectError) as refused:
        await attempt
    return refused.value.code
