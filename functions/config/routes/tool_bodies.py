"""What the tools of an answer did, as the company's own side is shown it."""

from typing import Any

from pydantic import BaseModel, Field

from chatconnect.domain.context import ToolRound


class ToolUseBody(BaseModel):
    """One call of a tool, in which round of an answer, and what the model was told came of it; cut where it is long."""

    round: int
    name: str
    arguments: str = Field(description="As the model wrote them: JSON, unless it erred")
    result: str
    failed: bool

    @classmethod
    def all_of(cls, number: int, round_: ToolRound) -> "list[ToolUseBody]":
        """Return the bodies that show the calls of a round."""
        return [
            cls(round=number, name=use.name, arguments=use.arguments, result=use.result, failed=use.failed)
            for use in round_.uses
        ]


class OfferedToolBody(BaseModel):
    """A tool as the model was told of it."""

    name: str
    description: str
    parameters: dict[str, Any]


class ToolRoundBody(BaseModel):
    """What the model said before it called tools, and the calls: its next request had this on top of the others."""

    said: str
    uses: list[ToolUseBody]
