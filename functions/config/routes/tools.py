"""A tenant's own tools: endpoints that its assistants' models may call."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from chatconnect.domain.identifiers import ToolId
from chatconnect.domain.tool import HttpTool
from chatconnect.http.authentication import Admin
from chatconnect.http.errors import responses
from chatconnect.services.tools import ToolDraft
from functions.config.routes.secret_fields import revealed_headers
from functions.config.services import Tools

router = APIRouter(prefix="/v1/tools", tags=["tools"])


class NewTool(BaseModel):
    """A tool. `url` may hold {arguments} in its path and query; the others go into the query or the JSON body."""

    name: str = Field(examples=["find_order"])
    description: str = Field(description="What the model is told of it", examples=["Says where an order is."])
    parameters: dict[str, Any] = Field(
        description="JSON schema of an object",
        examples=[{"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}],
    )
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: str = Field(examples=["https://shop.example.com/orders/{order}"])
    headers: dict[str, SecretStr | None] = Field(
        default_factory=dict,
        description="Sent with each call and never shown; null keeps the stored value while the origin stays",
    )
    enabled: bool = True

    def to_draft(self) -> ToolDraft:
        """Return what this asks for."""
        headers = revealed_headers(self.headers)
        return ToolDraft(
            self.name, self.description, self.parameters, self.method, self.url, headers, enabled=self.enabled
        )


class ToolBody(BaseModel):
    """A tool as it is kept; of its headers only the names are shown."""

    id: UUID
    name: str
    description: str
    parameters: dict[str, Any]
    method: str
    url: str
    headers: list[str]
    enabled: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, tool: HttpTool) -> "ToolBody":
        """Return the body that shows a tool."""
        return cls(
            id=tool.id,
            name=tool.name,
            description=tool.description,
            parameters=dict(tool.parameters),
            method=tool.method,
            url=tool.url,
            headers=sorted(tool.headers),
            enabled=tool.enabled,
            created_at=tool.created_at,
            updated_at=tool.updated_at,
        )


class ToolList(BaseModel):
    """All tools by name."""

    tools: list[ToolBody]


@router.get("", responses=responses(401, 403))
async def list_tools(caller: Admin, tools: Tools) -> ToolList:
    """List the tenant's tools."""
    return ToolList(tools=[ToolBody.of(tool) for tool in await tools.tools(caller.tenant_id)])


@router.post("", status_code=201, responses=responses(401, 403, 409))
async def add_tool(body: NewTool, caller: Admin, tools: Tools) -> ToolBody:
    """Declare a tool; an assistant uses it when its configuration names it."""
    return ToolBody.of(await tools.add(caller.tenant_id, body.to_draft()))


@router.put("/{tool_id}", responses=responses(401, 403, 404, 409))
async def change_tool(tool_id: UUID, body: NewTool, caller: Admin, tools: Tools) -> ToolBody:
    """Replace a tool."""
    return ToolBody.of(await tools.change(caller.tenant_id, ToolId(tool_id), body.to_draft()))


@router.delete("/{tool_id}", status_code=204, responses=responses(401, 403, 404))
async def delete_tool(tool_id: UUID, caller: Admin, tools: Tools) -> None:
    """Remove a tool; assistants that name it go on without it."""
    await tools.delete(caller.tenant_id, ToolId(tool_id))
