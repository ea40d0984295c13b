"""A string that must not be seen."""

from chatconnect.domain.errors import Invalid

_LENGTH = (8, 500)


class Secret:
    """Holds a password, key or token; printing, formatting or logging it shows stars only.

    No dataclass on purpose: what turns dataclasses into dictionaries or JSON would lay it open.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the one place that sends or checks it."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"


def check_credential(secret: Secret, what: str, *, field: str) -> None:
    """Raise Invalid unless a credential for somebody else's service can be sent to it: in a header, as it is."""
    value, (shortest, longest) = secret.reveal(), _LENGTH
    if not shortest <= len(value) <= longest or not all("!" <= c <= "~" for c in value):
        raise Invalid(f"{what} has {shortest} to {longest} visible ASCII characters", details={"field": field})
