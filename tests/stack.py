"""The whole product, running for a test session on ports of its own."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from local.configuration import DATABASE, Ports, Stack
from local.database import prepare_database
from local.demo import Demo, make_demo
from local.resources import Resources, make_resources
from local.services import Providers, free_port, running
from local.services.api import Api
from local.services.worker import Worker

_LAST_POLL_SECONDS = 3.5  # the queue still answers the stopped worker's last long poll, and would lose a message by it


@dataclass(frozen=True, slots=True)
class RunningStack:
    """Every part of the running product, to be used, and for fault tests to be stopped and started again."""

    services: Stack
    providers: Providers
    api: Api
    worker: Worker
    resources: Resources
    settings: Mapping[str, str]
    demo: Demo

    @property
    def api_url(self) -> str:
        """Where the API is."""
        return self.services.api_url

    @property
    def demo_url(self) -> str:
        """Where the demo page is."""
        return f"{self.api_url}/demo/"

    @property
    def dashboard_url(self) -> str:
        """Where the dashboard is."""
        return f"{self.api_url}/dashboard/"

    @property
    def widget_key(self) -> str:
        """The demo tenant's publishable key."""
        return self.demo.widget_key

    @property
    def secret_key(self) -> str:
        """The demo tenant's secret key."""
        return self.demo.secret_key

    @property
    def staff_email(self) -> str:
        """Whom to log in as at the demo tenant's dashboard."""
        return self.demo.staff_email

    @property
    def staff_password(self) -> str:
        """With what."""
        return self.demo.staff_password


@asynccontextmanager
async def without_worker(stack: RunningStack) -> AsyncIterator[None]:
    """Leave what is uploaded in the queue."""
    await stack.worker.stop()
    try:
        await asyncio.sleep(_LAST_POLL_SECONDS)
        yield
    finally:
        await stack.worker.start()


@asynccontextmanager
async def running_stack(state: Path) -> AsyncIterator[RunningStack]:
    """Run the product on free ports, with the scripted model provider beside it, and stop it all."""
    names = ("api", "postgres", "redis", "qdrant", "aws")
    stack = Stack(state, Ports(**{name: free_port() for name in names}), durable=False)
    providers = Providers(state / "providers", free_port())
    async with running(stack.postgres, stack.redis, stack.qdrant, stack.aws, providers):
        database_url = await prepare_database(stack.postgres, DATABASE)
        resources = make_resources(stack.aws)
        settings = stack.settings(database_url, resources)
        api = Api(state / "api", stack.ports.api, settings)
        worker = Worker(state / "worker", settings)
        async with running(api, worker):
            demo = await make_demo(stack.api_url, stack.demo_state, lambda _: None)
            yield RunningStack(stack, providers, api, worker, resources, settings, demo)
