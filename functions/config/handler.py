"""All that staff do, and what visitors read beside the chat: a FastAPI app under Mangum."""

from mangum import Mangum

from chatconnect.http.application import create_app
from chatconnect.settings import settings
from functions.config.routes import (
    accounts,
    assistants,
    conversations,
    documents,
    health,
    keys,
    knowledge,
    tools,
    widgets,
)
from functions.config.wiring import ConfigServices

services = ConfigServices(settings())
app = create_app("ChatConnect config", environment=settings().environment, on_shutdown=services.aclose)
app.state.services = services
for area in (health, accounts, keys, assistants, tools, widgets, documents, knowledge, conversations):
    app.include_router(area.router)

handler = Mangum(app, lifespan="off")
