"""Two companies, and the stores in which they have something."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from chatconnect.adapters import aws
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.qdrant import QdrantDatabase
from chatconnect.adapters.qdrant_stores import QdrantStores
from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.domain.embedding import EmbeddingModel
from local.services import Qdrant
from tests.aws import account
from tests.integration.adapters.data_rights.companies import BUCKET, Company, Rights, a_company


@pytest.fixture(scope="module")
def bucket() -> Iterator[None]:
    """An AWS account with the bucket, which keeps versions."""
    with account():
        s3 = aws.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield


@pytest.fixture
async def rights(
    database: PostgresDatabase, redis_database: RedisDatabase, qdrant: Qdrant, bucket: None
) -> AsyncIterator[Rights]:
    async def opened(model: EmbeddingModel) -> QdrantDatabase:
        return QdrantDatabase(qdrant.url, collection=f"chunks-{model.key}", dimensions=model.dimensions)

    async def no_embedder(model: EmbeddingModel) -> Any:
        pytest.fail(f"nothing is embedded to export or to erase, and {model.key} was asked for")

    stores = QdrantStores(opened, no_embedder)
    epochs = RedisEpochs(lambda: redis_database, on_fault=lambda what, fault: None)
    made = Rights(database, redis_database, stores, epochs)
    made.clock.advance(60)  # everything that the factories make is of noon
    yield made
    await epochs.aclose()
    await stores.aclose()


@pytest.fixture
async def acme(rights: Rights) -> Company:
    return await a_company(rights, "Acme")


@pytest.fixture
async def globex(rights: Rights) -> Company:
    return await a_company(rights, "Globex")
