"""Control messages and the form of answers, as requests and responses hold them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from chatconnect.domain.controls import Controls, TenantControls
from chatconnect.domain.response_format import FormatKind, ResponseFormat


class ResponseFormatBody(BaseModel):
    """The form of answers. JSON is checked before anybody sees it: an answer is one JSON object, or the turn ends in
    the error `answer_not_json`. It comes in one piece, without citations; what moderation refuses has no text at all.
    """

    type: Literal["text", "json", "json_schema"] = "text"
    schema_: dict[str, Any] | None = Field(
        default=None,
        alias="schema",
        description="With `json_schema`: a JSON schema of an object, of the same keywords as a tool's parameters",
        examples=[{"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}],
    )

    def to_format(self) -> ResponseFormat:
        """Return the form that this asks for. Raises Invalid."""
        return ResponseFormat(FormatKind(self.type), self.schema_)

    @classmethod
    def of(cls, response_format: ResponseFormat) -> "ResponseFormatBody":
        """Return the body that shows a form."""
        schema = None if response_format.schema is None else dict(response_format.schema)
        return cls(type=response_format.kind.value, schema=schema)


class InstructionsBody(BaseModel):
    """A conversation's own instructions; without a `response_format` its endpoint's or its assistant's holds."""

    instructions: str = Field(
        default="",
        description="Up to 4,000 characters that hold for all its answers, those of its branches and forks too; "
        "{company}, {assistant} and {refusal} stand for the tenant's values. Its visitor never sees them",
        examples=["The customer is on the gold plan. Be brief."],
    )
    response_format: ResponseFormatBody | None = None

    def to_controls(self) -> Controls:
        """Return the controls that this asks for. Raises Invalid."""
        return _controls([self.instructions] if self.instructions else [], self.response_format)

    @classmethod
    def of(cls, controls: Controls) -> "InstructionsBody":
        """Return the body that shows a conversation's controls."""
        return cls(instructions="\n\n".join(controls.messages), response_format=_format_of(controls))


class EndpointBody(BaseModel):
    """What holds at one endpoint; without a `response_format` the assistant's holds."""

    model_config = ConfigDict(extra="forbid")

    messages: list[str] = Field(default_factory=list, examples=[["Answer in the customer's language."]])
    response_format: ResponseFormatBody | None = None

    @classmethod
    def of(cls, controls: Controls) -> "EndpointBody":
        """Return the body that shows an endpoint's controls."""
        return cls(messages=list(controls.messages), response_format=_format_of(controls))


class TenantControlsBody(BaseModel):
    """Control messages: up to 10 of up to 4,000 characters at each level. A visitor's words cannot override them.

    In the prompt they follow the assistant's own instructions: the tenant's, then the endpoint's, then the
    conversation's. {company}, {assistant} and {refusal} stand for the tenant's values.
    """

    model_config = ConfigDict(extra="forbid")  # a rule under another name would be one that does not hold

    messages: list[str] = Field(
        default_factory=list, description="For all assistants", examples=[["Never speak of prices of competitors."]]
    )
    endpoints: dict[str, EndpointBody] = Field(
        default_factory=dict,
        description="`chat` is POST /v1/chat, `stream` is POST /v1/chat/stream; any other name (a-z, 0-9, - and _) is "
        "an endpoint of your own, which a request with a secret key chooses by its field `endpoint`",
        examples=[{"faq-json": {"messages": ["Be brief."], "response_format": {"type": "json"}}}],
    )

    def to_controls(self) -> TenantControls:
        """Return the controls that this asks for. Raises Invalid."""
        endpoints = {name: _controls(each.messages, each.response_format) for name, each in self.endpoints.items()}
        return TenantControls(tuple(self.messages), endpoints)

    @classmethod
    def of(cls, controls: TenantControls) -> "TenantControlsBody":
        """Return the body that shows a tenant's controls."""
        endpoints = {name: EndpointBody.of(each) for name, each in controls.endpoints.items()}
        return cls(messages=list(controls.messages), endpoints=endpoints)


def _controls(messages: list[str], form: ResponseFormatBody | None) -> Controls:
    return Controls(tuple(messages), form.to_format() if form else None)


def _format_of(controls: Controls) -> ResponseFormatBody | None:
    return ResponseFormatBody.of(controls.response_format) if controls.response_format else None
