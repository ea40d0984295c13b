"""Makes adapters from the settings, for the wirings to choose from. Nothing is connected or imported before its use."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from chatconnect.domain.embedding import EmbeddingModel
from chatconnect.domain.errors import ProviderFailed
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.pricing import PriceTable
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import StandardModels, is_of_a_provider
from chatconnect.observability import log_fault
from chatconnect.ports.epochs import Epochs
from chatconnect.services.data_rights import DataRightsService
from chatconnect.services.erasing import ErasureService
from chatconnect.services.exporting import ExportService
from chatconnect.services.indexes import IndexService
from chatconnect.services.realtime import RealtimeService
from chatconnect.services.retention import RetentionService
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
    from chatconnect.adapters.qdrant_stores import QdrantStores
    from chatconnect.adapters.receipt_seal import HmacSeal
    from chatconnect.adapters.redis import RedisDatabase, RedisJournal
    from chatconnect.adapters.rerank import HttpReranker
    from chatconnect.ports.mail import Mailer
    from chatconnect.ports.models import Embedder


LOCAL_EMBEDDINGS = EmbeddingModel("local", "minilm-l6-v2", 384)
"""The model that ships in a package."""


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


def redis_when_needed(settings: Settings, closers: "list[Close]") -> "Callable[[], RedisDatabase]":
    """Return what gives Redis, made at the first use: the client's import takes its time.

    It is closed last, for what is closed before may still have something to say to it.
    """

    @cache
    def made() -> "RedisDatabase":
        database = redis(settings)
        closers.insert(0, database.aclose)
        return database

    return made


def signer(value: SecretStr | None, arn: str) -> "JwtSigner":
    """Return a token signer whose keys are a value or a secret: one key, or a JSON object of keys, newest first."""
    from chatconnect.adapters.jwt import JwtSigner

    return JwtSigner(partial(_keys, value, arn), reload_keys=partial(_keys, value, arn, fresh=True))


async def _keys(value: SecretStr | None, arn: str, *, fresh: bool = False) -> Sequence[Secret]:
    """Return the keys to sign with, newest first."""
    from chatconnect.adapters.signing_keys import several

    given = secret(value)
    if given is not None:
        return several(given)
    from chatconnect.adapters.secrets_manager import read_secret

    return several(await read_secret(arn, fresh=fresh))


def receipt_seal(settings: Settings) -> "HmacSeal":
    """Return what signs receipts, with a key made of that of access tokens."""
    from chatconnect.adapters.receipt_seal import HmacSeal

    return HmacSeal(partial(_keys, settings.signing_secret, settings.signing_secret_arn))


def data_rights(
    settings: Settings,
    database: "PostgresDatabase",
    redis: "Callable[[], RedisDatabase]",
    stores: "QdrantStores",
    epochs: Epochs,
) -> DataRightsService:
    """Return what exports and erases data."""
    from chatconnect.adapters.postgres.data_requests import PostgresDataRequests, PostgresDueRequests
    from chatconnect.adapters.postgres.indexes import PostgresIndexes
    from chatconnect.adapters.postgres.operators import PostgresOperatedTenants
    from chatconnect.adapters.postgres.record_tables import RecordTables
    from chatconnect.adapters.postgres.records import PostgresRecords
    from chatconnect.adapters.redis_traces import RedisTraces
    from chatconnect.adapters.s3 import S3Uploads
    from chatconnect.adapters.s3_archives import S3Archives

    requests_of = partial(PostgresDataRequests, database)
    records_of = partial(PostgresRecords, database, RecordTables(database))
    archives, uploads = S3Archives(settings.uploads_bucket), S3Uploads(settings.uploads_bucket)
    tenants, seal = PostgresOperatedTenants(database), receipt_seal(settings)
    return DataRightsService(
        requests_of=requests_of,
        records_of=records_of,
        due=PostgresDueRequests(database),
        tenants=tenants,
        exports=ExportService(
            requests_of=requests_of, records_of=records_of, archives=archives, uploads=uploads, seal=seal, clock=now
        ),
        erasures=ErasureService(
            requests_of=requests_of,
            records_of=records_of,
            tenants=tenants,
            archives=archives,
            uploads=uploads,
            traces=RedisTraces(redis),
            journal_of=partial(_journal, redis),
            indexes_of=partial(PostgresIndexes, database),
            stores=stores,
            wanted=embedding_model(settings),
            epochs=epochs,
            seal=seal,
            clock=now,
        ),
        archives=archives,
        seal=seal,
        clock=now,
        on_fault=log_fault,
    )


def _journal(redis: "Callable[[], RedisDatabase]", tenant_id: TenantId) -> "RedisJournal":
    from chatconnect.adapters.redis import RedisJournal

    return RedisJournal(redis(), tenant_id)


def retention(database: "PostgresDatabase", epochs: Epochs) -> RetentionService:
    """Return what keeps to the periods for which tenants keep data."""
    from chatconnect.adapters.postgres.data_requests import PostgresRetention
    from chatconnect.adapters.postgres.directory import PostgresDirectory
    from chatconnect.adapters.postgres.record_tables import RecordTables
    from chatconnect.adapters.postgres.records import PostgresRecords

    return RetentionService(
        directory=PostgresDirectory(database),
        retention_of=partial(PostgresRetention, database),
        records_of=partial(PostgresRecords, database, RecordTables(database)),
        epochs=epochs,
        clock=now,
        on_fault=log_fault,
    )


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
    from chatconnect.adapters.public_addresses import public_address

    openai_key, anthropic_key = await provider_keys(settings)
    return ModelRegistry(
        openai_key,
        settings.openai_base_url,
        anthropic_key,
        settings.anthropic_base_url,
        Timeouts(first_byte=settings.provider_first_byte_seconds, between_chunks=settings.provider_silence_seconds),
        resolve=partial(public_address, allow_loopback=settings.local_tools),
    )


async def moderator(settings: Settings) -> "OpenAIModeration":
    """Return the provider that judges texts. Raises Unavailable."""
    from chatconnect.adapters.openai_moderation import OpenAIModeration

    openai_key, _ = await provider_keys(settings)
    return OpenAIModeration(openai_key, settings.openai_base_url)


def embedding_model(settings: Settings) -> EmbeddingModel:
    """Return the embedding model that this deployment wants its tenants' knowledge indexed with."""
    if settings.embedding_provider == "local":
        return LOCAL_EMBEDDINGS
    return EmbeddingModel(settings.embedding_provider, settings.embedding_model, settings.embedding_dimensions)


async def embedder(settings: Settings, model: EmbeddingModel) -> "Embedder":
    """Return what makes vectors of this model. Raises ProviderFailed where it cannot be used here, Unavailable."""
    if model.provider == "local":
        from chatconnect.adapters.minilm import MiniLmEmbedder

        return MiniLmEmbedder()
    from chatconnect.adapters.openai_embeddings import OpenAIEmbedder

    openai_key, _ = await provider_keys(settings)
    if openai_key is None:
        raise ProviderFailed("provider_not_configured")
    return OpenAIEmbedder(
        openai_key,
        settings.openai_base_url,
        model=model.name,
        dimensions=model.dimensions,
    )


def vector_stores(settings: Settings) -> "QdrantStores":
    """Return the stores of vectors, with what makes these."""
    from chatconnect.adapters.qdrant_stores import QdrantStores

    return QdrantStores(partial(qdrant, settings), partial(embedder, settings))


def indexes(settings: Settings, database: "PostgresDatabase", stores: "QdrantStores") -> IndexService:
    """Return what knows which index each tenant has."""
    from chatconnect.adapters.postgres.indexes import PostgresIndexes

    return IndexService(
        indexes_of=partial(PostgresIndexes, database), stores=stores, wanted=embedding_model(settings), clock=now
    )


async def qdrant(settings: Settings, model: EmbeddingModel) -> "QdrantDatabase":
    """Return the vector store for this embedding model. Raises Unavailable."""
    from chatconnect.adapters.qdrant import QdrantDatabase

    api_key = None
    if settings.qdrant_api_key_secret_arn:
        from chatconnect.adapters.secrets_manager import read_secret

        api_key = await read_secret(settings.qdrant_api_key_secret_arn)
    return QdrantDatabase(
        settings.qdrant_url,
        collection=f"{settings.qdrant_collection}-{model.key}",
        dimensions=model.dimensions,
        api_key=api_key,
    )


def realtime(settings: Settings, database: "Callable[[], RedisDatabase]") -> RealtimeService:
    """Return what reaches the open WebSocket connections; Redis, which knows them, is asked for at the first use."""
    from chatconnect.adapters.api_gateway import ApiGatewayConnections
    from chatconnect.adapters.redis_listeners import RedisListeners

    return RealtimeService(
        listeners=RedisListeners(database),
        connections=ApiGatewayConnections(settings.realtime_callback_url),
        on_fault=log_fault,
    )


async def reranker(settings: Settings) -> "HttpReranker | None":
    """Return the reranking model of this deployment, if it has one. Raises Unavailable."""
    if not settings.rerank_url:
        return None
    from chatconnect.adapters.rerank import HttpReranker

    key = secret(settings.rerank_api_key)
    if key is None and settings.provider_keys_secret_arn:
        from chatconnect.adapters.secrets_manager import read_fields

        fields = await read_fields(settings.provider_keys_secret_arn)
        key = Secret(fields["rerank"]) if fields.get("rerank") else None
    return HttpReranker(settings.rerank_url, settings.rerank_model, key, seconds=settings.rerank_seconds)


def dify(settings: Settings) -> "DifyServers":
    """Return the way to tenants' knowledge bases at Dify."""
    from chatconnect.adapters.dify import DifyServers

    return DifyServers(allow_loopback=settings.local_tools)


def standard_models(settings: Settings) -> StandardModels:
    """Return the models that every plan includes, whatever its row says.

    Those that new assistants start with, and what a server has that is asked in a provider's place.
    """
    addresses = {"openai": settings.openai_base_url, "anthropic": settings.anthropic_base_url}
    own = (provider for provider, address in addresses.items() if address and not is_of_a_provider(address))
    names = {settings.openai_model, settings.anthropic_model}
    return StandardModels(frozenset(names), frozenset(own), PriceTable.published().models)


async def default_model(settings: Settings) -> DefaultModel:
    """Return the model of new assistants: one that there is a key for, or else quotations. Raises Unavailable."""
    openai_key, anthropic_key = await provider_keys(settings)
    if openai_key is not None:
        return DefaultModel("openai", settings.openai_model)
    if anthropic_key is not None:
        return DefaultModel("anthropic", settings.anthropic_model)
    return DefaultModel("offline", "quotations")


def mailer(settings: Settings) -> "Mailer":
    """Return what sends mail: SES, a folder, or nothing where neither is configured."""
    if settings.mail_sender:
        from chatconnect.adapters.ses import SesMailer

        return SesMailer(settings.mail_sender)
    from chatconnect.adapters.mail_files import MailFiles, NoMailer

    return MailFiles(Path(settings.mail_directory)) if settings.mail_directory else NoMailer()


def dashboard_url(settings: Settings) -> str:
    """Return where the links in mails lead: the dashboard, which lies beside the API unless it is said where."""
    return settings.dashboard_url or f"{settings.public_api_url.rstrip('/')}/dashboard/"


Close = Callable[[], Awaitable[None]]


async def close_all(closers: Sequence[Close]) -> None:
    """Close adapters, the last made first."""
    for close in reversed(closers):
        await close()
