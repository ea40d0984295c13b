"""Reading JSON bodies strictly: what is not understood is refused, never skipped."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from local.qdrant.errors import BadRequest

Value = TypeVar("Value")


def take(body: Any, where: str, *names: str) -> list[Any]:
    """Return the values of `names` in the object `body`, None where absent.

    Raises BadRequest when `body` is no object or has another field that is not null.
    """
    if not isinstance(body, dict):
        raise BadRequest(f"Format error in JSON body: {where}: expected an object")
    unknown = [name for name, value in body.items() if name not in names and value is not None]
    if unknown:
        raise BadRequest(f"Format error in JSON body: {where}: unsupported field `{unknown[0]}`")
    return [body.get(name) for name in names]


def need(value: Any, where: str) -> Any:
    """Return `value`; raise BadRequest when it is None."""
    if value is None:
        raise BadRequest(f"Format error in JSON body: missing field `{where}`")
    return value


def one_of(choices: Mapping[str, Value], value: Any, where: str) -> Value:
    """Return the choice named `value`; raise BadRequest when there is none of that name."""
    if not isinstance(value, str) or value not in choices:
        raise BadRequest(f"Format error in JSON body: {where}: {value!r} is none of {', '.join(choices)}")
    return choices[value]


def given(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """Pair names with values, leaving out those that are None."""
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def one_or_many(value: Any) -> list[Any]:
    """Return a list as it is, None as an empty list, and anything else as a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
