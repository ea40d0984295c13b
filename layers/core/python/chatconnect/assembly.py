"""Makes adapters from the settings, for the wirings to choose from. Nothing is connected or imported before its use."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydantic import SecretStr

from chatconnect.domain.errors import ProviderFailed
from chatconnect.domain.secret import Secret
from chatconnect.services.tenants import DefaultModel
from chatconnect.settings import Settings, secret

if TYPE_CHECKING:
    from chatconnect.adapters.dify import DifyServers
    from chatconnect.adapters.jwt import JwtSigner
    from chatconnect.adapters.kms import KmsEnvelope
    from chatconnect.adapters.model_registry import ModelRegistry
    from chatconnect.adapters.openai_moderation import OpenAIModeration
    from chatconnect.adapters.postgres.database import PostgresDatabase
    from chatconnect.adapters.qdrant import QdrantDatabase
    from chatconnect.adapters.redis import RedisDatabase
    from chatconnect.ports.models import Embedder


def now() -> datetime:
    """Return the present moment in UTC."""
    return datetime.now(UTC)


def postgres(settings: Settings) -> "PostgresDatabase":
    """Return the database, by its URL or by its host and the secret with its credentials."""
    from chatconnect.adapters.postgres.database import PostgresDatabase

    async def conninfo() -> Secret:
        url = secret(settings.database_url)
        if url is not None:
            return url
        from psycopg.conninfo import make_conninfo

        from chatconnect.adapters.secrets_manager import read_fields

        fields = await read_fields(settings.database_secret_arn)
        host = settings.database_host or fields.get("host", "")
        return Secret(
            make_conninfo(
                host=host,
                port=fields.get("port", "5432"),
                dbname=fields.get("dbname", settings.database_name),
                user=fields.get("username"),
                password=fields.get("password"),
                sslmode="require",
            )
        )

    prepare = not settings.database_behind_proxy
    return PostgresDatabase(conninfo, pool_size=settings.database_pool_size, prepare=prepare)


def redis(settings: Settings) -> "RedisDatabase":
    """Return Redis."""
    from chatconnect.adapters.redis import RedisDatabase

    return RedisDatabase(settings.redis_url)


def signer(value: SecretStr | None, arn: str) -> "JwtSigner":
    """Return a token signer whose keys are a value, or a secret with one key or a JSON object of keys, newest first."""
    from chatconnect.adapters.jwt import JwtSigner

    async def keys() -> Sequence[Secret]:
        given = secret(value)
        if given is not None:
            return [given]
        from chatconnect.adapters.secrets_manager import read_fields, read_secret

        several = await read_fields(arn)
        return [Secret(key) for key in several.values()] or [await read_secret(arn)]

    return JwtSigner(keys)


def envelope(settings: Settings) -> "KmsEnvelope":
    """Return the encryption of tenants' secrets."""
    from chatconnect.adapters.kms import KmsEnvelope

    return KmsEnvelope(settings.kms_key_id)


async def provider_keys(settings: Settings) -> tuple[Secret | None, Secret | None]:
    """Return the deployment's own keys for OpenAI and Anthropic. Raises Unavailable."""
    openai_key, anthropic_key = secret(settings.openai_api_key), secret(settings.anthropic_api_key)
    if settings.provider_keys_secret_arn:
        from chatconnect.adapters.secrets_manager import read_fields

        fields = await read_fields(settings.provider_keys_secret_arn)
        openai_key = openai_key or (Secret(fields["openai"]) if fields.get("openai") else None)
        anthropic_key = anthropic_key or (Secret(fields["anthropic"]) if fields.get("anthropic") else None)
    return openai_key, anthropic_key


async def models(settings: Settings) -> "ModelRegistry":
    """Return the models of all providers. Raises Unavailable."""
    from chatconnect.adapters.model_registry import ModelRegistry
    from chatconnect.adapters.provider_http import Timeouts

    openai_key, anthropic_key = await provider_keys(settings)
    return ModelRegistry(
        openai_key,
        settings.openai_base_url,
        anthropic_key,
        settings.anthropic_base_url,
        Timeouts(first_byte=settings.provider_first_byte_seconds, between_chunks=settings.provider_silence_seconds),
    )


async def moderator(settings: Settings) -> "OpenAIModeration":
    """Return the provider that judges texts. Raises Unavailable."""
    from chatconnect.adapters.openai_moderation import OpenAIModeration

    openai_key, _ = await provider_keys(settings)
    return OpenAIModeration(openai_key, settings.openai_base_url)


async def embedder(settings: Settings) -> "Embedder":
    """Return the embedding model of this deployment. Raises Unavailable."""
    if settings.embedding_provider == "local":
        from chatconnect.adapters.minilm import MiniLmEmbedder

        return MiniLmEmbedder()
    from chatconnect.adapters.openai_embeddings import OpenAIEmbedder

    openai_key, _ = await provider_keys(settings)
    if openai_key is None:
        raise ProviderFailed("provider_not_configured")
    return OpenAIEmbedder(
        openai_key,
        settings.openai_base_url,
        model=settings.embedding_model,
        dimensions=settings.embedding_dimensions,
    )


async def qdrant(settings: Settings, embedder: "Embedder") -> "QdrantDatabase":
    """Return the vector store for this embedding model: vectors of different models are never mixed."""
    from chatconnect.adapters.qdrant import QdrantDatabase

    api_key = None
    if settings.qdrant_api_key_secret_arn:
        from chatconnect.adapters.secrets_manager import read_secret

        api_key = await read_secret(settings.qdrant_api_key_secret_arn)
    return QdrantDatabase(
        settings.qdrant_url,
        collection=f"{settings.qdrant_collection}-{embedder.name}",
        dimensions=embedder.dimensions,
        api_key=api_key,
    )


def dify(settings: Settings) -> "DifyServers":
    """Return the way to tenants' knowledge bases at Dify."""
    from chatconnect.adapters.dify import DifyServers

    return DifyServers(allow_loopback=settings.local_tools)


async def default_model(settings: Settings) -> DefaultModel:
    """Return the model of new assistants: one that there is a key for, or else quotations. Raises Unavailable."""
    openai_key, anthropic_key = await provider_keys(settings)
    if openai_key is not None:
        return DefaultModel("openai", settings.openai_model)
    if anthropic_key is not None:
        return DefaultModel("anthropic", settings.anthropic_model)
    return DefaultModel("offline", "quotations")


Close = Callable[[], Awaitable[None]]


async def close_all(closers: Sequence[Close]) -> None:
    """Close adapters, the last made first."""
    for close in reversed(closers):
        await close()
