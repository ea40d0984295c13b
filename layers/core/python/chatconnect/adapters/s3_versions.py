"""All versions of the objects in S3 buckets: a deletion that leaves one behind deletes nothing. Each call blocks."""

from collections.abc import Iterator
from typing import Any

from chatconnect.adapters.aws import client
from chatconnect.domain.errors import Unavailable

_STORE = "the file store"


def keys_under(bucket: str, prefix: str) -> list[str]:
    """Return the keys of the objects, also of those of which only former versions are left, in order."""
    return sorted({entry["Key"] for page in _pages(bucket, prefix) for entry in page})


def delete_versions(bucket: str, key: str) -> None:
    """Remove an object with all its versions; none is no error. Raises Unavailable when S3 refuses some."""
    for page in _pages(bucket, key):
        found = [{"Key": key, "VersionId": entry["VersionId"]} for entry in page if entry["Key"] == key]
        if not found:
            continue
        answer = client("s3").delete_objects(Bucket=bucket, Delete={"Objects": found, "Quiet": True})
        if answer.get("Errors"):
            raise Unavailable(_STORE)


def _pages(bucket: str, prefix: str) -> Iterator[list[dict[str, Any]]]:
    for page in client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        yield [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
