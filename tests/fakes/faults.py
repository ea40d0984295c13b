"""Faults on demand: something that works, but for the calls that a test names."""

from typing import Any, TypeVar, cast

T = TypeVar("T")


class _Faulty:
    def __init__(self, real: object, faults: dict[str, Exception]) -> None:
        self._real, self._faults = real, faults

    def __getattr__(self, name: str) -> Any:
        if name not in self._faults:
            return getattr(self._real, name)

        async def fail(*_: object, **__: object) -> None:
            raise self._faults[name]

        return fail


def faulty(real: T, faults: dict[str, Exception]) -> T:
    """Return `real`, whose methods named in `faults` raise; what is added to or taken from `faults` counts at once."""
    return cast("T", _Faulty(real, faults))
