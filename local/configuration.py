"""Where the local stack keeps things and listens, from the environment."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.resources import Resources
from local.services import Aws, Postgres, Qdrant, Redis

ROOT = Path(__file__).parents[1]
DATABASE = "chatconnect"


def state_directory() -> Path:
    """Return where everything that outlives a start is kept: `.local`, or where LOCAL_STATE says."""
    return Path(os.environ.get("LOCAL_STATE", ROOT / ".local"))


def addresses_file() -> Path:
    """Return the file that other programs read the addresses of the running stack from."""
    return state_directory() / "dev.json"


_PORTS = {"API_PORT": 8000, "POSTGRES_PORT": 54329, "REDIS_PORT": 63799, "QDRANT_PORT": 6333, "AWS_PORT": 4566}
# Handed through to the functions when the developer has set them.
_PASSED_ON = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL",
              "ANTHROPIC_MODEL", "EMBEDDING_PROVIDER", "EMBEDDING_MODEL", "EMBEDDING_DIMENSIONS",
              "RERANK_URL", "RERANK_MODEL", "RERANK_API_KEY", "RERANK_SECONDS",
              "ABUSE_THROTTLING")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of all parts; each can be moved with the variable of the same name in capitals."""

    api: int
    postgres: int
    redis: int
    qdrant: int
    aws: int

    @classmethod
    def from_environment(cls) -> "Ports":
        """Read the ports. Raises ValueError for something that is no number."""
        given = {name: int(os.environ.get(name, default)) for name, default in _PORTS.items()}
        return cls(**{name.removesuffix("_PORT").lower(): port for name, port in given.items()})


@dataclass(frozen=True, slots=True)
class Stack:
    """The services of one local stack and where they keep their data."""

    state: Path
    ports: Ports
    durable: bool = True
    postgres: Postgres = field(init=False)
    redis: Redis = field(init=False)
    qdrant: Qdrant = field(init=False)
    aws: Aws = field(init=False)

    def __post_init__(self) -> None:
        """Name the services; nothing is started."""
        made = {
            "postgres": Postgres(self.state / "postgres", self.ports.postgres, durable=self.durable),
            "redis": Redis(self.state / "redis", self.ports.redis),
            "qdrant": Qdrant(self.state / "qdrant", self.ports.qdrant),
            "aws": Aws(self.state / "aws", self.ports.aws),
        }
        for name, service in made.items():
            object.__setattr__(self, name, service)

    @property
    def api_url(self) -> str:
        """The address of the API and the pages."""
        return f"http://127.0.0.1:{self.ports.api}"

    @property
    def realtime_url(self) -> str:
        """The address of the WebSocket."""
        return self.api_url.replace("http", "ws", 1) + "/v1/realtime"

    @property
    def demo_state(self) -> Path:
        """Where the demo tenant's keys are remembered."""
        return self.state / "demo.json"

    @property
    def mails(self) -> Path:
        """Where mails are written that would be sent."""
        return self.state / "mails"

    def settings(self, database_url: str, resources: Resources) -> Mapping[str, str]:
        """Return the environment of the functions."""
        passed_on = {name: os.environ[name] for name in _PASSED_ON if os.environ.get(name)}
        return {
            "ENVIRONMENT": "local",
            "TOOLS_MAY_REACH_LOOPBACK": "true",
            "PUBLIC_API_URL": self.api_url,
            "DATABASE_URL": database_url,
            "REDIS_URL": self.redis.url,
            "QDRANT_URL": self.qdrant.url,
            "UPLOADS_BUCKET": resources.bucket,
            "UPLOADS_QUEUE_URL": resources.uploads_queue_url,
            "DEAD_LETTER_QUEUE_URL": resources.dead_letter_queue_url,
            "TURNS_QUEUE_URL": resources.turns_queue_url,
            "KMS_KEY_ID": resources.kms_key_id,
            "REALTIME_URL": self.realtime_url,
            "REALTIME_CALLBACK_URL": f"{self.api_url}/_sockets",
            "CHAT_TOKEN_SECRET": self._remembered_secret("chat-token-secret"),
            "SIGNING_SECRET": self._remembered_secret("signing-secret"),
            "MAIL_DIRECTORY": str(self.mails),
            "DEMO_STATE": str(self.demo_state),
            "POWERTOOLS_METRICS_DISABLED": "true",
            **self.aws.client_environment,
            **passed_on,
        }

    def _remembered_secret(self, name: str) -> str:
        """Return a secret that stays the same between starts, so that tokens and sessions outlive a restart."""
        path = self.state / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(48))
        return path.read_text()
