"""The reference turn as a contender: its server and its database."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg

from bench import reference_turn
from bench.machine import child
from bench.product import questions
from bench.provider import ScriptedProvider
from bench.rounds import Contender, Load
from bench.servers import UvicornServer
from chatconnect.domain.assistant import DEFAULT_SYSTEM_PROMPT
from chatconnect.settings import Settings
from local.services import free_port, running
from tests.stack import RunningStack

_DATABASE = "reference"


@asynccontextmanager
async def reference(
    stack: RunningStack, provider: ScriptedProvider, folder: Path, tokens: list[str]
) -> AsyncIterator[Contender]:
    """Run the reference turn on the product's own data stores, embeddings by the provider."""
    database_url = await stack.services.postgres.create_database(_DATABASE)
    _set_up(database_url, stack.demo.assistant_id)
    defaults = Settings.model_fields
    model, dimensions = defaults["embedding_model"].default, defaults["embedding_dimensions"].default
    server = UvicornServer(
        reference_turn.APP,
        folder,
        free_port(),
        {
            "DATABASE_URL": database_url,
            "REDIS_URL": stack.settings["REDIS_URL"],
            "QDRANT_URL": stack.settings["QDRANT_URL"],
            "QDRANT_COLLECTION": f"{defaults['qdrant_collection'].default}-{model}-{dimensions}",
            "CHAT_TOKEN_SECRET": stack.settings["CHAT_TOKEN_SECRET"],
            "OPENAI_BASE_URL": provider.url,
            "OPENAI_API_KEY": "scripted",
            "EMBEDDING_MODEL": model,
            "EMBEDDING_DIMENSIONS": str(dimensions),
        },
    )

    async def prepare(what: Load) -> None:
        _configure(database_url, stack.demo.assistant_id, what.model)

    async with running(server):
        request = questions(server.port, stack.api_url, tokens)
        yield Contender("reference_turn", server.port, child(reference_turn.APP), request, b"event: done", prepare)


def _set_up(database_url: str, assistant_id: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(reference_turn.SCHEMA)
        connection.execute("INSERT INTO assistants VALUES (%s, '{}')", [assistant_id])


def _configure(database_url: str, assistant_id: str, model: str) -> None:
    config = {"model": model, "temperature": 0.2, "max_tokens": 800, "system_prompt": DEFAULT_SYSTEM_PROMPT}
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE assistants SET config = %s WHERE id = %s", [json.dumps(config), assistant_id])
