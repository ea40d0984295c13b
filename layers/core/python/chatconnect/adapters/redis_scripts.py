"""Scripts that run inside Redis: each is one round trip, and nothing comes between its steps."""

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chatconnect.adapters.redis import RedisDatabase


class RedisScript:
    """A script of this folder, which Redis keeps under its digest; several files are joined in their order."""

    def __init__(self, *names: str) -> None:
        self.text = "\n".join(files(__package__).joinpath(name).read_text("utf-8") for name in names)
        self._registered: tuple[object, Any] | None = None

    async def __call__(self, database: "RedisDatabase", keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run it and return what it returns. Raises what the client raises."""
        client = database.client()
        if self._registered is None or self._registered[0] is not client:
            self._registered = (client, client.register_script(self.text))
        return await self._registered[1](keys=keys, args=arguments)
