"""Archives in an S3 bucket, `exports/{tenant}/{request}.zip`, uploaded in parts."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import quote

from chatconnect.adapters.aws import aws_errors, call, client
from chatconnect.adapters.s3_versions import delete_versions, keys_under
from chatconnect.domain.data_rights import ARCHIVES
from chatconnect.domain.identifiers import TenantId

_STORE = "the archive store"


class S3Archives:
    """The bucket that archives are written to."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    async def begin(self, key: str) -> str:
        """Return the id of a new upload. Raises Unavailable."""
        with aws_errors(_STORE):
            made = await call(
                "s3", "create_multipart_upload", Bucket=self._bucket, Key=key, ContentType="application/zip"
            )
        return str(made["UploadId"])

    async def is_open(self, key: str, upload: str) -> bool:
        """Say whether an upload is neither completed nor given up. Raises Unavailable."""
        with aws_errors(_STORE):
            found = await asyncio.to_thread(self._uploads, key)
        return any(each["UploadId"] == upload for each in found)

    async def put_part(self, key: str, upload: str, number: int, content: bytes) -> str:
        """Store a part (5 MiB at least unless it is the last; from 1) and return its tag; again replaces it."""
        whose = {"Bucket": self._bucket, "Key": key, "UploadId": upload, "PartNumber": number}
        with aws_errors(_STORE):
            stored = await call("s3", "upload_part", **whose, Body=content)
        return str(stored["ETag"])

    async def complete(self, key: str, upload: str, tags: Sequence[str]) -> None:
        """Make the object of the parts."""
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
        with aws_errors(_STORE):
            await call(
                "s3",
                "complete_multipart_upload",
                Bucket=self._bucket,
                Key=key,
                UploadId=upload,
                MultipartUpload={"Parts": parts},
            )

    async def link(self, key: str, *, name: str, seconds: int) -> str:
        """Return an address that gives the archive, to be saved under a name, for so long."""
        wanted = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentDisposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
            "ResponseContentType": "application/zip",
        }
        with aws_errors(_STORE):
            url: str = await call("s3", "generate_presigned_url", "get_object", Params=wanted, ExpiresIn=seconds)
        return url

    async def keys(self, tenant_id: TenantId) -> AsyncIterator[str]:
        """Yield the keys of the tenant's archives, also of former versions and unfinished uploads."""
        with aws_errors(_STORE):
            found = await asyncio.to_thread(self._keys, f"{ARCHIVES}{tenant_id}/")
        for key in found:
            yield key

    async def remove(self, key: str) -> None:
        """Remove an archive with all versions and unfinished uploads; none is no error. Raises Unavailable."""
        with aws_errors(_STORE):
            await asyncio.to_thread(self._remove, key)

    def _keys(self, prefix: str) -> list[str]:
        return sorted({*keys_under(self._bucket, prefix), *(upload["Key"] for upload in self._uploads(prefix))})

    def _remove(self, key: str) -> None:
        for upload in self._uploads(key):
            client("s3").abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload["UploadId"])
        delete_versions(self._bucket, key)

    def _uploads(self, prefix: str) -> list[dict[str, Any]]:
        pages = client("s3").get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix)
        return [upload for page in pages for upload in page.get("Uploads", ())]
