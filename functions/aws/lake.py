"""The lake in the bucket: large objects on their way to and from local files."""

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.aws.objects import OVERTAKEN
from functions.ports.errors import Retryable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

REMOVED_TOGETHER_MAX = 1_000
CHUNK_BYTES = 1024 * 1024


class S3Lake:
    """One bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keys(self, prefix: str) -> list[str]:
        """The keys under a prefix, sorted."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def fetch(self, key: str, path: Path) -> bool:
        """Copy an object into a local file."""
        return self.fetch_tagged(key, path) is not None

    def fetch_tagged(self, key: str, path: Path) -> str | None:
        """As `fetch`; the object's tag."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            shutil.copyfileobj(found["Body"], file, CHUNK_BYTES)
        return found["ETag"]

    def store(self, key: str, path: Path) -> None:
        """Write an object from a local file."""
        self._put(key, path)

    def store_over(self, key: str, path: Path, tag: str | None) -> bool:
        """Write on condition that the object is as it was read."""
        try:
            self._put(key, path, **({"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}))
        except ClientError as error:
            if error.response["Error"]["Code"] in OVERTAKEN:
                return False
            raise
        return True

    def _put(self, key: str, path: Path, **condition: Any) -> None:
        with path.open("rb") as file:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=file, **condition)

    def remove(self, keys: Collection[str]) -> None:
        """Take objects away, a thousand a request. What a request leaves is asked for again by whoever finds it."""
        ordered = sorted(keys)
        for start in range(0, len(ordered), REMOVED_TOGETHER_MAX):
            objects: Any = [{"Key": key} for key in ordered[start : start + REMOVED_TOGETHER_MAX]]
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True}
            )
            if failed := answer.get("Errors"):
                raise Retryable(f"{len(failed)} of {len(objects)} objects could not be removed")
