"""In what form an answer comes: text, or JSON that is checked."""

import json
import string
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn

from chatconnect.domain.errors import Invalid
from chatconnect.domain.json_schema import Schema, check_schema, violation

_FENCE = "```"
_JSON = (
    "Answer with one JSON object and nothing else: no text before it or after it, no code fence, and no markers of "
    "passages, like [1], in its texts."
)


class FormatKind(StrEnum):
    """`json` is any JSON object, `json_schema` one that fits a schema."""

    TEXT = "text"
    JSON = "json"
    JSON_SCHEMA = "json_schema"


class NotInForm(Exception):
    """A text is not in the form that was asked for; the message says why, in words for a model."""


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The form of an answer. `schema` goes with `json_schema` and nothing else, and describes an object."""

    kind: FormatKind = FormatKind.TEXT
    schema: Schema | None = field(default=None, hash=False)

    def __post_init__(self) -> None:
        if self.kind not in list(FormatKind):
            kinds = ", ".join(FormatKind)
            raise Invalid(f"the response format is one of {kinds}", details={"field": "response_format.type"})
        object.__setattr__(self, "kind", FormatKind(self.kind))
        if (self.schema is not None) is not (self.kind is FormatKind.JSON_SCHEMA):
            raise Invalid(
                "a schema goes with json_schema, and only with it", details={"field": "response_format.schema"}
            )
        if self.schema is not None:
            try:
                check_schema(self.schema)
            except Invalid as error:
                raise Invalid(error.message, details={"field": "response_format.schema"}) from None

    @property
    def is_json(self) -> bool:
        """Whether an answer has to be checked before anybody sees it."""
        return self.kind is not FormatKind.TEXT

    @property
    def instruction(self) -> str:
        """What a model is told of it; nothing of ordinary text."""
        if not self.is_json:
            return ""
        if self.schema is None:
            return _JSON
        return f"{_JSON} It has to fit this JSON schema:\n{json.dumps(self.schema, ensure_ascii=False)}"

    def checked(self, text: str) -> str:
        """Return an answer as it may be shown: JSON without a code fence around it. Raises NotInForm."""
        if not self.is_json:
            return text
        bare = _without_fence(text.strip())
        try:
            value = json.loads(bare, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            where = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
            raise NotInForm(f"it is not valid JSON{where}") from None
        if not isinstance(value, dict):
            raise NotInForm("it is no JSON object")
        if self.schema is not None and (wrong := violation(self.schema, value, "the answer")):
            raise NotInForm(f"it does not fit the schema: {wrong}")
        return bare


TEXT = ResponseFormat()


def _without_fence(text: str) -> str:
    if len(text) < 2 * len(_FENCE) or not (text.startswith(_FENCE) and text.endswith(_FENCE)):
        return text
    return text[len(_FENCE) : -len(_FENCE)].lstrip(string.ascii_letters).strip()


def _no_number(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and no other JSON parser does."""
    raise ValueError(name)
