"""What the environment decides. Read once per process, never at import."""

from functools import cache
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from chatconnect.domain.secret import Secret


class Settings(BaseSettings):
    """The environment variables of all functions; each function is given only what it needs.

    A secret comes either as a value (on one machine) or as the ARN of a Secrets Manager secret (on AWS).
    """

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    environment: Literal["dev", "staging", "prod", "local"] = "local"
    public_api_url: str = ""

    database_url: SecretStr | None = None
    database_host: str = ""
    database_name: str = "chatconnect"
    database_secret_arn: str = ""
    database_pool_size: int = 10
    database_behind_proxy: bool = False

    redis_url: str = "redis://127.0.0.1:6379"
    qdrant_url: str = "http://127.0.0.1:6333"
    qdrant_api_key_secret_arn: str = ""
    qdrant_collection: str = "chunks"

    uploads_bucket: str = ""
    uploads_queue_url: str = ""
    dead_letter_queue_url: str = ""
    turns_queue_url: str = ""
    kms_key_id: str = ""
    realtime_url: str = ""
    realtime_callback_url: str = ""

    chat_token_secret: SecretStr | None = None
    chat_token_secret_arn: str = ""
    signing_secret: SecretStr | None = None
    signing_secret_arn: str = ""

    # Mail is sent from an address that SES knows; on a developer's machine it becomes files in a folder.
    mail_sender: str = ""
    mail_directory: str = ""
    dashboard_url: str = ""

    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_model: str = "gpt-5.4-mini"
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    anthropic_model: str = "claude-haiku-4-5"
    provider_keys_secret_arn: str = ""
    # How long a chat model may take for its first byte, and how long it may be silent after that, in seconds.
    provider_first_byte_seconds: float = Field(default=20.0, gt=0)
    provider_silence_seconds: float = Field(default=20.0, gt=0)
    # How long nothing is heard of whoever makes an answer, before those who follow it are told that it is interrupted.
    answer_silence_seconds: float = Field(default=10.0, gt=0)

    tools_may_reach_loopback: bool = False

    # Whether visitors who misbehave are slowed down; it is recorded in either case, and blocks always hold.
    abuse_throttling: bool = True

    # Set where Lambda's adapter is to call the function before its snapshot is taken.
    aws_lwa_snapstart_before_checkpoint_path: str = ""

    embedding_provider: Literal["local", "openai"] = "local"
    embedding_model: str = "text-embedding-3-small"
    embedding_dimensions: int = 1536

    # A reranking model behind {url}/rerank, in Cohere's and Jina's form; none without an address.
    rerank_url: str = ""
    rerank_model: str = "jina-reranker-v2-base-multilingual"
    rerank_api_key: SecretStr | None = None
    rerank_seconds: float = Field(default=1.5, gt=0)

    @property
    def local_tools(self) -> bool:
        """Whether tools may be on this computer and speak plain http: on a developer's machine alone."""
        return self.tools_may_reach_loopback and self.environment == "local"


@cache
def settings() -> Settings:
    """Return this process's settings. Raises pydantic.ValidationError, which names no value."""
    return Settings()


def secret(value: SecretStr | None) -> Secret | None:
    """Return a setting's secret as our own type; an empty one is none."""
    return Secret(value.get_secret_value()) if value is not None and value.get_secret_value() else None
