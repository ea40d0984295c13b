"""Scripts that run inside Redis: each is one round trip, and nothing comes between its steps."""

from collections.abc import Sequence
from hashlib import sha1
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chatconnect.adapters.redis import RedisDatabase


class RedisScript:
    """A script of this folder, which Redis keeps under its digest; several files are joined in their order."""

    def __init__(self, *names: str) -> None:
        self.text = "\n".join(files(__package__).joinpath(name).read_text("utf-8") for name in names)
        self._digest = sha1(self.text.encode(), usedforsecurity=False).hexdigest()  # Redis names scripts like this

    async def __call__(self, database: "RedisDatabase", keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run it and return what it returns. Raises what `RedisDatabase.ask` raises."""
        from redis.exceptions import NoScriptError

        try:
            [answer] = await database.ask(("EVALSHA", self._digest, len(keys), *keys, *arguments))
        except NoScriptError:  # not known there yet, or not any more: EVAL makes it known
            [answer] = await database.ask(("EVAL", self.text, len(keys), *keys, *arguments))
        return answer
