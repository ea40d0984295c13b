"""What differs between environments: sizes, retention, protection. Nothing else decides by name."""

from dataclasses import dataclass, field
from typing import Literal

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_logs as logs

Name = Literal["dev", "staging", "prod", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """Aurora Serverless v2; capacities in ACU (2 GiB of memory each)."""

    min_capacity: float
    max_capacity: float
    proxy: bool
    readers: int = 0
    backup_retention: Duration = field(default_factory=lambda: Duration.days(7))

    def __post_init__(self) -> None:
        """Refuse a proxy on a database that may pause: its open connections would never let it."""
        if self.proxy and self.min_capacity < 0.5:
            raise ValueError("RDS Proxy needs a database of at least 0.5 ACU")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How private functions reach AWS and the model providers."""

    availability_zones: int
    nat_gateways: int
    interface_endpoints: bool  # Secrets Manager, KMS and SQS without the NAT gateway; charged per hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Requests per second that the API lets through, and concurrency set aside for each function."""

    rate: int
    burst: int
    requests_per_address: int  # in five minutes, then the firewall blocks the address
    document_concurrency: int
    chat_concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where an alarm goes off."""

    server_errors: int = 5  # in five minutes
    function_errors: int = 3  # in five minutes
    answer_latency: Duration = field(default_factory=lambda: Duration.seconds(20))  # p95 of a whole stream
    request_latency: Duration = field(default_factory=lambda: Duration.seconds(2))  # p95 of the other routes
    queue_age: Duration = field(default_factory=lambda: Duration.minutes(15))
    database_cpu_percent: int = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One deployment of the product.

    `local` has neither `database` nor `network`: its application stacks run on the AWS emulator and
    use data stores that are already there.
    """

    name: Name
    traffic: Traffic
    database: Database | None = None
    network: Network | None = None
    log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    log_level: str = "INFO"
    keep_data: bool = True
    embedding_provider: Literal["openai", "local"] = "openai"
    embedding_model: str = "text-embedding-3-small"
    embedding_dimensions: int = 1536
    rerank_url: str = ""
    rerank_model: str = "jina-reranker-v2-base-multilingual"
    thresholds: Thresholds = field(default_factory=Thresholds)

    def __post_init__(self) -> None:
        """Refuse what cannot be deployed.

        The bundled embedding model is 88 MB; with numpy, the vector store's client and the parsers it
        exceeds the 250 MB that Lambda allows. The emulator's functions find it in the host's Python.
        """
        if self.embedding_provider == "local" and not self.is_local:
            raise ValueError("the bundled embedding model does not fit into Lambda: use a provider")

    @property
    def is_local(self) -> bool:
        """Whether this is the AWS emulator on a developer's machine."""
        return self.name == "local"

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What happens to stored data when its stack is deleted."""
        return RemovalPolicy.RETAIN if self.keep_data else RemovalPolicy.DESTROY

    def named(self, part: str) -> str:
        """Return the physical name of a part, for example `chatconnect-prod-chat`."""
        return f"chatconnect-{self.name}-{part}"


_ENVIRONMENTS = (
    Environment(
        name="local",
        traffic=Traffic(rate=1_000, burst=1_000, requests_per_address=100_000, document_concurrency=2),
        log_retention=logs.RetentionDays.ONE_DAY,
        keep_data=False,
        embedding_provider="local",
    ),
    Environment(
        name="dev",
        traffic=Traffic(rate=50, burst=100, requests_per_address=2_000, document_concurrency=2),
        database=Database(min_capacity=0, max_capacity=2, proxy=False, backup_retention=Duration.days(1)),
        network=Network(availability_zones=2, nat_gateways=1, interface_endpoints=False),
        log_retention=logs.RetentionDays.ONE_WEEK,
        log_level="DEBUG",
        keep_data=False,
    ),
    Environment(
        name="staging",
        traffic=Traffic(rate=200, burst=400, requests_per_address=2_000, document_concurrency=5),
        database=Database(min_capacity=0.5, max_capacity=4, proxy=True),
        network=Network(availability_zones=2, nat_gateways=1, interface_endpoints=True),
    ),
    Environment(
        name="prod",
        traffic=Traffic(
            rate=1_000, burst=2_000, requests_per_address=2_000, document_concurrency=20, chat_concurrency=500
        ),
        database=Database(min_capacity=1, max_capacity=32, proxy=True, readers=1, backup_retention=Duration.days(35)),
        network=Network(availability_zones=3, nat_gateways=3, interface_endpoints=True),
        log_retention=logs.RetentionDays.ONE_YEAR,
    ),
)


def environment(name: str) -> Environment:
    """Return the environment of that name; raise ValueError for an unknown one."""
    for candidate in _ENVIRONMENTS:
        if candidate.name == name:
            return candidate
    raise ValueError(f"no environment {name!r}: use -c env=dev, staging, prod or local")
