"""S3, SQS and KMS as our adapters use them, on an AWS account in this process."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from chatconnect.adapters.kms import KmsEnvelope
from chatconnect.adapters.s3 import S3Uploads
from chatconnect.adapters.sqs import SqsQueue, SqsTurns, turn_of
from chatconnect.domain.errors import Invalid, NotFound, Unavailable
from chatconnect.domain.identifiers import AssistantId, DocumentId, TenantId, VersionId, new_id
from chatconnect.domain.knowledge import Version
from local.services import free_port
from tests.aws import credentials
from tests.factories import a_conversation, a_turn, answered

BUCKET = "uploads"
ACME, GLOBEX = TenantId(new_id()), TenantId(new_id())


@pytest.fixture
def uploads(cloud: None) -> S3Uploads:
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    return S3Uploads(BUCKET)


def a_version(filename: str = "plan.txt") -> Version:
    return Version(
        id=VersionId(new_id()),
        document_id=DocumentId(new_id()),
        tenant_id=ACME,
        number=1,
        filename=filename,
        media_type="text/plain",
        size=5,
        created_at=datetime.now(UTC),
    )


async def test_an_upload_is_fetched_as_it_was_sent(uploads: S3Uploads, tmp_path: Path) -> None:
    version = a_version("price list + more (ü).txt")
    boto3.client("s3").put_object(Bucket=BUCKET, Key=version.object_key, Body=b"hello")

    await uploads.fetch(version.object_key, tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == b"hello"
    assert await uploads.size_of(version.object_key) == 5
    assert [key async for key in uploads.keys(ACME)] == [version.object_key]
    assert [key async for key in uploads.keys(GLOBEX)] == []


async def test_the_form_binds_key_type_and_size(uploads: S3Uploads) -> None:
    version = a_version()

    form = await uploads.form(version, largest=100)

    assert form.fields["key"] == version.object_key
    assert form.fields["Content-Type"] == "text/plain"
    policy = b64decode(form.fields["policy"]).decode()
    assert '["content-length-range", 1, 100]' in policy


async def test_what_is_not_there_is_not_found(uploads: S3Uploads, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await uploads.fetch("no/such/key/file", tmp_path / "file")
    with pytest.raises(NotFound):
        await uploads.copy("no/such/key/file", "other")
    assert not await uploads.exists("no/such/key/file")


async def test_deleting_takes_every_version_and_no_neighbour(uploads: S3Uploads) -> None:
    s3 = boto3.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        s3.put_object(Bucket=BUCKET, Key="t/d/v/file.txt", Body=body)
    s3.put_object(Bucket=BUCKET, Key="t/d/v/file.txt.bak", Body=b"kept")

    await uploads.delete("t/d/v/file.txt")
    await uploads.delete("t/d/v/file.txt")

    left = s3.list_object_versions(Bucket=BUCKET)
    assert [version["Key"] for version in left["Versions"]] == ["t/d/v/file.txt.bak"]
    assert "DeleteMarkers" not in left


async def test_a_turn_comes_out_of_the_queue_as_it_went_in(cloud: None) -> None:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName="turns")["QueueUrl"]
    turn = answered(a_turn(a_conversation(ACME, AssistantId(new_id()))))

    await SqsTurns(url).put(turn)
    waiting = (await SqsQueue(url).state()).waiting
    [message] = sqs.receive_message(QueueUrl=url)["Messages"]

    assert waiting == 1
    assert turn_of(message["Body"]) == turn


async def test_a_sealed_secret_opens_for_its_tenant_alone(cloud: None) -> None:
    envelope = KmsEnvelope(boto3.client("kms").create_key()["KeyMetadata"]["KeyId"])

    sealed = await envelope.encrypt(ACME, b"sk-provider")

    assert b"sk-provider" not in sealed
    assert await envelope.decrypt(ACME, sealed) == b"sk-provider"
    with pytest.raises(Invalid):
        await envelope.decrypt(GLOBEX, sealed)
    with pytest.raises(Invalid):
        await envelope.decrypt(ACME, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(Invalid):
        await envelope.decrypt(ACME, b"")


async def test_the_same_secret_is_sealed_differently_each_time(cloud: None) -> None:
    envelope = KmsEnvelope(boto3.client("kms").create_key()["KeyMetadata"]["KeyId"])

    assert await envelope.encrypt(ACME, b"same") != await envelope.encrypt(ACME, b"same")


async def test_what_a_former_key_sealed_opens_while_that_key_is_there(cloud: None) -> None:
    kms = boto3.client("kms")
    former, present = (kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    sealed = await KmsEnvelope(former).encrypt(ACME, b"sk-provider")

    assert await KmsEnvelope(present).decrypt(ACME, sealed) == b"sk-provider"
    with pytest.raises(Invalid):
        await KmsEnvelope(present).decrypt(GLOBEX, sealed)


async def test_aws_that_is_away_is_unavailable() -> None:
    with credentials(AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}"):
        with pytest.raises(Unavailable):
            await S3Uploads(BUCKET).size_of("any")
        with pytest.raises(Unavailable):
            await KmsEnvelope("key").encrypt(ACME, b"x")


async def test_a_file_is_announced_again_by_being_copied_onto_itself(uploads: S3Uploads) -> None:
    version = a_version()
    boto3.client("s3").put_object(Bucket=BUCKET, Key=version.object_key, Body=b"hello")

    await uploads.copy(version.object_key, version.object_key)

    assert await uploads.size_of(version.object_key) == 5


async def test_keys_of_which_only_former_versions_are_left_are_told_too(uploads: S3Uploads) -> None:
    s3, version = boto3.client("s3"), a_version()
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=BUCKET, Key=version.object_key, Body=b"hello")
    s3.delete_object(Bucket=BUCKET, Key=version.object_key)

    assert [key async for key in uploads.keys(ACME)] == [version.object_key]

    await uploads.delete(version.object_key)
    assert [key async for key in uploads.keys(ACME)] == []


async def test_a_file_of_which_a_version_may_not_be_deleted_is_not_taken_for_deleted(cloud: None) -> None:
    s3, version = boto3.client("s3"), a_version()
    s3.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    s3.put_object(
        Bucket="locked",
        Key=version.object_key,
        Body=b"hello",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(days=1),
    )

    with pytest.raises(Unavailable):
        await S3Uploads("locked").delete(version.object_key)
