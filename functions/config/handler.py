"""All that staff do, and what visitors read beside the chat: a FastAPI app under Mangum."""

from mangum import Mangum

from chatconnect.http.application import create_app
from chatconnect.settings import settings
from functions.config.routes import (
    accounts,
    assistants,
    controls,
    conversations,
    documents,
    health,
    keys,
    knowledge,
    knowledge_sources,
    mcp_servers,
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
    accounts,
    keys,
    assistants,
    tools,
    mcp_servers,
    widgets,
    documents,
    knowledge,
    knowledge_sources,
    conversations,
    visitors,
    controls,
    usage,
):
    app.include_router(area.router)

handler = Mangum(app, lifespan="off")
