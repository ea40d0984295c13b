"""A string that must not be seen."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """Holds a password, key or token; printing, formatting or logging it shows stars only."""

    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Return the value, for the one place that sends or checks it."""
        return self._value

    def __str__(self) -> str:
        return "***"
