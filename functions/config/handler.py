"""All that staff do, and what visitors read beside the chat: a FastAPI app under Mangum."""

from fastapi import Depends
from mangum import Mangum

from chatconnect.http.application import create_app
from chatconnect.http.audit import request_origin
from chatconnect.settings import settings
from functions.config.routes import (
    assistant_versions,
    assistants,
    audit,
    auth,
    auth_passwords,
    chunking,
    controls,
    conversations,
    data_requests,
    document_contents,
    documents,
    health,
    identities,
    invitations,
    keys,
    knowledge,
    knowledge_sources,
    leads,
    mcp_servers,
    members,
    operator,
    plans,
    realtime,
    retention,
    tools,
    usage,
    visitors,
    widgets,
)
from functions.config.wiring import ConfigServices

services = ConfigServices(settings())
app = create_app("ChatConnect config", environment=settings().environment, on_shutdown=services.aclose)
app.state.services = services
for area in (
    health,
    auth,
    auth_passwords,
    members,
    invitations,
    operator,
    keys,
    identities,
    assistants,
    assistant_versions,
    tools,
    mcp_servers,
    widgets,
    leads,
    documents,
    document_contents,
    chunking,
    knowledge,
    knowledge_sources,
    conversations,
    visitors,
    data_requests,
    retention,
    controls,
    plans,
    usage,
    audit,
    realtime,
):
    app.include_router(area.router, dependencies=[Depends(request_origin)])

handler = Mangum(app, lifespan="off")
