"""The application stacks, deployed by the CDK onto an AWS emulator beside the embedded data stores."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from local.configuration import DATABASE, Ports, Stack
from local.database import prepare_database
from local.deploy import deploy
from local.resources import make_resources
from local.services import free_port, node, running


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the deployed product answers."""

    api_url: str
    services: Stack


@pytest.fixture(scope="session")
async def deployment(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    """Deploy once. Functions run from their built assets; what they log is in the emulator's log."""
    node.install()
    state: Path = tmp_path_factory.mktemp("deployed")
    names = ("api", "postgres", "redis", "qdrant", "aws")
    stack = Stack(state, Ports(**{name: free_port() for name in names}), durable=False)
    async with running(stack.postgres, stack.redis, stack.qdrant, stack.aws):
        database_url = await prepare_database(stack.postgres, DATABASE)
        settings = stack.settings(database_url, make_resources(stack.aws, prefix="beside"))
        shared = ("DATABASE_URL", "REDIS_URL", "QDRANT_URL", "CHAT_TOKEN_SECRET", "SIGNING_SECRET", "KMS_KEY_ID")
        outputs = deploy(stack.aws.url, {name: settings[name] for name in shared})
        yield Deployment(outputs["api_url"].rstrip("/"), stack)
