"""Counts of attempts in Redis, in sliding windows: `throttle:<allowance>:<digest of the subject>`.

They belong to no tenant: who tries out passwords has none yet. Without Redis each process counts on its own: somebody
may then try as often as there are processes, but nobody without end, and who knows their password gets in.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from chatconnect.adapters.redis_scripts import RedisScript
from chatconnect.domain.errors import LimitReached
from chatconnect.ports.faults import OnFault
from chatconnect.ports.throttle import Allowance

if TYPE_CHECKING:
    from chatconnect.adapters.redis import RedisDatabase

_MOST_SUBJECTS = 10_000


class RedisThrottle:
    """One count for all processes. `database` gives the shared client; Redis is not imported before it is asked for."""

    def __init__(self, database: "Callable[[], RedisDatabase]", *, on_fault: OnFault) -> None:
        self._database, self._on_fault, self._own = database, on_fault, ProcessCounts()
        self._check = RedisScript("rate.lua", "check_rate.lua")

    async def count(self, allowance: Allowance, subject: str) -> None:
        """Count one more for the subject. Raises LimitReached with code "too_many_attempts" instead of one too many."""
        from chatconnect.adapters.redis import AWAY

        database, wait = self._database(), 0.0
        try:
            if database.resting:
                raise TimeoutError
            arguments = [allowance.times, allowance.seconds * 1_000]
            wait = await self._check(database, [_key(allowance, subject)], arguments) / 1_000
        except AWAY as error:
            if not database.resting:
                database.failed()
                self._on_fault("attempts are counted in each process alone", error)
            wait = self._own.count(allowance, subject)
        if wait:
            raise LimitReached(
                "too many attempts; please wait before the next one", code="too_many_attempts", retry_after=wait
            )

    async def forget(self, allowance: Allowance, subject: str) -> None:
        """Begin again at nothing for the subject."""
        self._own.forget(allowance, subject)
        await self._database().ask_quietly(("DEL", _key(allowance, subject)))


class ProcessCounts:
    """What this process alone has counted: the moments of each subject's last attempts, in seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now, self._attempts = now, OrderedDict[tuple[str, str], deque[float]]()

    def count(self, allowance: Allowance, subject: str) -> float:
        """Count one more and return 0, or else the seconds until another may be."""
        place, now = (allowance.name, subject), self._now()
        attempts = self._attempts.setdefault(place, deque(maxlen=allowance.times))
        self._attempts.move_to_end(place)
        if len(self._attempts) > _MOST_SUBJECTS:
            self._attempts.popitem(last=False)
        if len(attempts) == allowance.times and now - attempts[0] < allowance.seconds:
            return allowance.seconds - (now - attempts[0])
        attempts.append(now)
        return 0.0

    def forget(self, allowance: Allowance, subject: str) -> None:
        """Begin again at nothing for the subject."""
        self._attempts.pop((allowance.name, subject), None)


def _key(allowance: Allowance, subject: str) -> str:
    """Return where the count is kept; nobody's address stands in Redis."""
    return f"throttle:{allowance.name}:{sha256(subject.encode()).hexdigest()[:32]}"
