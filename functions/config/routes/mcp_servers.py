"""A tenant's MCP servers, whose tools its assistants' models may call."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from chatconnect.domain.identifiers import McpServerId
from chatconnect.domain.mcp import McpServer
from chatconnect.http.authentication import Admin
from chatconnect.http.errors import responses
from chatconnect.services.mcp_servers import McpServerDraft
from functions.config.routes.secret_fields import revealed_headers
from functions.config.services import McpServers

router = APIRouter(prefix="/v1/mcp-servers", tags=["tools"])


class NewMcpServer(BaseModel):
    """A server that speaks MCP over streamable HTTP. It is asked for its tools at once."""

    name: str = Field(description="1 to 32 letters, digits and -; assistants name tools by it", examples=["shop"])
    url: str = Field(examples=["https://mcp.example.com/mcp"])
    headers: dict[str, SecretStr | None] = Field(
        default_factory=dict,
        description="Sent with each request and never shown; null keeps the stored value while the origin stays",
    )
    enabled: bool = True

    def to_draft(self) -> McpServerDraft:
        """Return what this asks for."""
        return McpServerDraft(self.name, self.url, revealed_headers(self.headers), enabled=self.enabled)


class McpToolBody(BaseModel):
    """A tool that the server offers."""

    name: str = Field(description="An assistant names it as server/name", examples=["find_order"])
    model_name: str = Field(
        description="What the model calls it by, and what the `tool` events of a stream show",
        examples=["shop__find_order"],
    )
    description: str


class McpServerBody(BaseModel):
    """A server with the tools that it offered when it last answered; of its headers only the names are shown."""

    id: UUID
    name: str
    url: str
    headers: list[str]
    enabled: bool
    tools: list[McpToolBody]
    left_out: int = Field(
        description="Tools that cannot be used: over 100, too long to be read for each answer, or with no usable schema"
    )
    listed_at: datetime | None = Field(description="When it last said what it offers")
    checked_at: datetime | None = Field(
        description="When it was last asked: at each save, on request, and after an answer that was offered tools an "
        "hour old, or met one that failed"
    )
    failure: str | None = Field(
        description="Why that came to nothing", examples=["the server answered with status 401"]
    )
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, server: McpServer) -> "McpServerBody":
        """Return the body that shows a server."""
        tools = [
            McpToolBody(name=tool.name, model_name=server.model_name(tool), description=tool.description)
            for tool in server.tools
        ]
        return cls(
            id=server.id,
            name=server.name,
            url=server.url,
            headers=sorted(server.headers),
            enabled=server.enabled,
            tools=tools,
            left_out=server.listing.left_out if server.listing else 0,
            listed_at=server.listing.at if server.listing else None,
            checked_at=server.checked_at,
            failure=server.failure,
            created_at=server.created_at,
            updated_at=server.updated_at,
        )


class McpServerList(BaseModel):
    """All servers by name."""

    servers: list[McpServerBody]


@router.get("", responses=responses(401, 403))
async def list_mcp_servers(caller: Admin, servers: McpServers) -> McpServerList:
    """List the tenant's servers."""
    return McpServerList(servers=[McpServerBody.of(server) for server in await servers.servers(caller.tenant_id)])


@router.post("", status_code=201, responses=responses(401, 403, 409))
async def add_mcp_server(body: NewMcpServer, caller: Admin, servers: McpServers) -> McpServerBody:
    """Attach a server; an assistant uses the tools that its configuration names, as server/tool or server/*."""
    return McpServerBody.of(await servers.add(caller.tenant_id, body.to_draft()))


@router.get("/{server_id}", responses=responses(401, 403, 404))
async def get_mcp_server(server_id: UUID, caller: Admin, servers: McpServers) -> McpServerBody:
    """Show a server."""
    return McpServerBody.of(await servers.server(caller.tenant_id, McpServerId(server_id)))


@router.put("/{server_id}", responses=responses(401, 403, 404, 409))
async def change_mcp_server(server_id: UUID, body: NewMcpServer, caller: Admin, servers: McpServers) -> McpServerBody:
    """Replace a server, and ask it for its tools again."""
    return McpServerBody.of(await servers.change(caller.tenant_id, McpServerId(server_id), body.to_draft()))


@router.post("/{server_id}/refresh", responses=responses(401, 403, 404))
async def refresh_mcp_server(server_id: UUID, caller: Admin, servers: McpServers) -> McpServerBody:
    """Connect to a server and list its tools now; `failure` says what is wrong when that does not work."""
    return McpServerBody.of(await servers.refresh(caller.tenant_id, McpServerId(server_id)))


@router.delete("/{server_id}", status_code=204, responses=responses(401, 403, 404))
async def delete_mcp_server(server_id: UUID, caller: Admin, servers: McpServers) -> None:
    """Detach a server; assistants that name its tools go on without them."""
    await servers.delete(caller.tenant_id, McpServerId(server_id))
