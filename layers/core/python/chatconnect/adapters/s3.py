"""Uploads in an S3 bucket."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from chatconnect.adapters.aws import aws_errors, call, error_code
from chatconnect.adapters.s3_versions import delete_versions, keys_under
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.knowledge import Version
from chatconnect.ports.uploads import UploadForm

FORM_SECONDS = 900
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class S3Uploads:
    """The bucket that files are uploaded to."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    async def form(self, version: Version, *, largest: int) -> UploadForm:
        """Return a form that takes this version's file only: its key, its type, at most `largest` bytes."""
        fields = {"Content-Type": version.media_type}
        post: dict[str, Any]
        with aws_errors("the upload store"):
            post = await call(
                "s3",
                "generate_presigned_post",
                self._bucket,
                version.object_key.replace("${filename}", "_"),
                Fields=fields,
                Conditions=[fields, ["content-length-range", 1, largest]],
                ExpiresIn=FORM_SECONDS,
            )
        return UploadForm(post["url"], post["fields"])

    async def exists(self, key: str) -> bool:
        """Say whether the object is there. Raises Unavailable."""
        try:
            await self.size_of(key)
        except NotFound:
            return False
        return True

    async def size_of(self, key: str) -> int:
        """Return the object's size in bytes. Raises NotFound, Unavailable."""
        with _errors(key):
            head = await call("s3", "head_object", Bucket=self._bucket, Key=key)
        return int(head["ContentLength"])

    async def fetch(self, key: str, to: Path) -> None:
        """Write the object to a file. Raises NotFound, Unavailable."""
        with _errors(key):
            await call("s3", "download_file", self._bucket, key, str(to))

    async def download_url(self, version: Version, *, seconds: int) -> str:
        """Return an address that gives this version's file, to be saved under its name, for so long."""
        name = version.filename
        plain = "".join(character if " " <= character <= "~" and character not in '"\\' else "_" for character in name)
        disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
        wanted = {
            "Bucket": self._bucket,
            "Key": version.object_key,
            "ResponseContentDisposition": disposition,
            "ResponseContentType": version.media_type,
        }
        with aws_errors("the upload store"):
            url: str = await call("s3", "generate_presigned_url", "get_object", Params=wanted, ExpiresIn=seconds)
        return url

    async def copy(self, key: str, to: str) -> None:
        """Copy an object (also onto itself), which the bucket announces. Raises NotFound, Unavailable."""
        source = {"Bucket": self._bucket, "Key": key}
        # S3 copies an object onto itself only when something about it changes.
        changes = {"MetadataDirective": "REPLACE"} if key == to else {}
        with _errors(key):
            await call("s3", "copy_object", Bucket=self._bucket, Key=to, CopySource=source, **changes)

    async def delete(self, key: str) -> None:
        """Remove the object with all its versions; none is no error. Raises Unavailable."""
        with aws_errors("the upload store"):
            await asyncio.to_thread(delete_versions, self._bucket, key)

    async def keys(self, tenant_id: TenantId) -> AsyncIterator[str]:
        """Yield the keys of the tenant's objects, also of those of which only former versions are left."""
        with aws_errors("the upload store"):
            found = await asyncio.to_thread(keys_under, self._bucket, f"{tenant_id}/")
        for key in found:
            yield key


@contextmanager
def _errors(key: str) -> Iterator[None]:
    with aws_errors("the upload store"):
        try:
            yield
        except Exception as error:
            if error_code(error) in _MISSING:
                raise NotFound("upload", key) from error
            raise
