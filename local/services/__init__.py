"""The services that ChatConnect needs, as child processes of the stack or of a test session."""

from local.services.aws import Aws
from local.services.postgres import Postgres
from local.services.process import PortTaken, Service, StartFailed, free_port
from local.services.providers import Providers
from local.services.qdrant import Qdrant
from local.services.redis import Redis
from local.services.together import running

__all__ = [
    "Aws",
    "PortTaken",
    "Postgres",
    "Providers",
    "Qdrant",
    "Redis",
    "Service",
    "StartFailed",
    "free_port",
    "running",
]
