"""The bucket: playbook versions with the context facts, and the frozen lists of campaign runs."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from functions.domain.approvals import Approval, Awaiting
from functions.domain.campaigns import Chunk, Run
from functions.domain.compiled import Compiled
from functions.domain.context import EMPTY, Context, Fact
from functions.domain.instants import Instant, format_instant
from functions.domain.playbook import Playbook
from functions.domain.stored import FORMAT
from functions.ports.errors import Rejected, Retryable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

IN_FORCE = "playbooks/in-force.json"
# Beside the playbooks, where every function that has a playbook in force may read.
CONTEXT = "playbooks/context.json"
IN_FORCE_SECONDS = 5.0
# What S3 answers where a condition does not hold, or another write came between; 404: IfMatch on what is gone.
OVERTAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "404")
_playbook = msgspec.json.Decoder(Playbook)
_run = msgspec.json.Decoder(Run)
_chunk = msgspec.json.Decoder(Chunk)
_awaiting = msgspec.json.Decoder(Awaiting)
_approval = msgspec.json.Decoder(Approval)
_context = msgspec.json.Decoder(dict[str, dict[str, Fact]])


class Objects:
    """One bucket: read, write, and write unless somebody did before."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, key: str) -> bytes | None:
        """The object's bytes; None where there is none."""
        found = self.read_tagged(key)
        return None if found is None else found[0]

    def read_tagged(self, key: str) -> tuple[bytes, str] | None:
        """The object's bytes and their tag, which names this content of the object; None where there is none."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise
        return found["Body"].read(), found["ETag"]

    def write(self, key: str, body: bytes) -> None:
        """Write, whatever was there."""
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")

    def write_new(self, key: str, body: bytes) -> bool:
        """Write on condition that there is no such object yet; whether it was written."""
        return self._written_if(key, body, IfNoneMatch="*") is not None

    def write_new_tagged(self, key: str, body: bytes) -> str | None:
        """As `write_new`; the content's tag, or None where it was not written."""
        return self._written_if(key, body, IfNoneMatch="*")

    def write_over(self, key: str, body: bytes, tag: str) -> bool:
        """Write on condition that the object still has the content of this tag; whether it was written."""
        return self.write_over_tagged(key, body, tag) is not None

    def write_over_tagged(self, key: str, body: bytes, tag: str) -> str | None:
        """As `write_over`; the new content's tag, or None where it was not written."""
        return self._written_if(key, body, IfMatch=tag)

    def _written_if(self, key: str, body: bytes, **condition: Any) -> str | None:
        try:
            written = self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType="application/json", **condition
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in OVERTAKEN:
                return None
            raise
        return written["ETag"]

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        try:
            self._client.head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "NotFound", "404"):
                return False
            raise
        return True

    def keys(self, prefix: str, after: str = "") -> list[str]:
        """The keys under a prefix, sorted; those after another key only, where one is given."""
        return [key for key, _ in self.sized(prefix, after)]

    def sized(self, prefix: str, after: str = "") -> Iterator[tuple[str, int]]:
        """The same with their sizes in bytes, a page at a time."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix, StartAfter=after
        )
        for page in pages:
            for item in page.get("Contents", []):
                yield item["Key"], item["Size"]


class S3Playbooks:
    """Compiled playbooks, content-addressed, the pointer to the one in force, and the context facts of now.

    Versions are cached for good; pointer and facts are read again every five seconds.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._versions: dict[str, Compiled] = {}
        self._in_force = ""
        self._context: Context = EMPTY
        self._context_tag = ""
        self._read_at = float("-inf")

    def in_force(self) -> Compiled:
        """The playbook applied last, with the facts of now: at most five seconds old."""
        if time.monotonic() - self._read_at > IN_FORCE_SECONDS:
            pointer = self._objects.read(IN_FORCE)
            if pointer is None:
                raise Retryable("no playbook is in force; run 'musubi apply DIR'")
            self._in_force = msgspec.json.decode(pointer)["version"]
            self._read_context()
            self._read_at = time.monotonic()
        return self.version(self._in_force)

    def in_force_now(self) -> Compiled:
        """As `in_force`, read anew."""
        self._read_at = float("-inf")
        return self.in_force()

    def _read_context(self) -> None:
        body, tag = self._objects.read_tagged(CONTEXT) or (b"{}", "")
        if tag != self._context_tag:
            self._context, self._context_tag = _context.decode(body), tag

    def version(self, version: str) -> Compiled:
        """One version, with the facts that were read last; Rejected where it does not exist, Retryable where it says what
        this code does not heed: whatever asks for it waits for code that does."""
        if version not in self._versions:
            body = self._objects.read(_version_key(version))
            if body is None:
                raise Rejected(f"there is no playbook version {version}")
            self._versions[version] = Compiled(_heeded(version, body), self._context)
        if self._versions[version].context is not self._context:
            self._versions[version] = self._versions[version].with_context(self._context)
        return self._versions[version]

    def apply(self, playbook: Playbook) -> None:
        """Keep the version, then point to it."""
        self._objects.write(_version_key(playbook.version), msgspec.json.encode(playbook))
        self._objects.write(IN_FORCE, msgspec.json.encode({"version": playbook.version}))
        self._read_at = float("-inf")


class _Format(msgspec.Struct):
    """Of a compiled playbook that may say what this code cannot read."""

    format: int = 1


def _heeded(version: str, body: bytes) -> Playbook:
    """The playbook. What is not known may be a cap or an exclusion: it is never worked with in part."""
    needs = msgspec.json.decode(body, type=_Format).format
    if needs <= FORMAT:
        try:
            return _playbook.decode(body)
        except msgspec.ValidationError as error:
            fault = f" ({error})"
    else:
        fault = ""
    raise Retryable(
        f"playbook version {version} is of format {needs}, which this code (format {FORMAT}) cannot read{fault}: deploy the "
        "release that compiled it, or put a version in force that this one reads (musubi apply --previous); what needs "
        "it waits in its queue, then among the dead letters"
    )


def _version_key(version: str) -> str:
    return f"playbooks/{version}.json"


class S3Runs:
    """Campaign runs under `runs/<campaign>/<occurrence>/`. Whatever is frozen first stays."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def find(self, campaign: str, occurrence: Instant) -> Run | None:
        """The run, where it was begun."""
        body = self._objects.read(f"runs/{campaign}/{format_instant(occurrence)}/run.json")
        return _run.decode(body) if body is not None else None

    def freeze_run(self, run: Run) -> Run:
        """The run as it was begun first."""
        return _run.decode(self._frozen(f"{_prefix(run)}/run.json", run))

    def chunk(self, run: Run, segment: int, number: int) -> Chunk | None:
        """A page frozen already."""
        body = self._objects.read(_page(run, segment, number))
        return _chunk.decode(body) if body is not None else None

    def freeze_chunk(self, run: Run, segment: int, number: int, chunk: Chunk) -> Chunk:
        """The page as it was frozen first."""
        return _chunk.decode(self._frozen(_page(run, segment, number), chunk))

    def _frozen(self, key: str, value: Run | Chunk | Approval) -> bytes:
        body = msgspec.json.encode(value)
        if self._objects.write_new(key, body):
            return body
        first = self._objects.read(key)
        if first is None:
            raise Retryable(f"{key} was frozen by another worker and is not readable yet")
        return first

    def is_enqueued(self, run: Run, segment: int, number: int) -> bool:
        """Whether this page is checkpointed."""
        return self._objects.exists(f"{_page(run, segment, number)}.enqueued")

    def checkpoint(self, run: Run, segment: int, number: int) -> None:
        """Note that every intent of this page is in the send queue."""
        self._objects.write(f"{_page(run, segment, number)}.enqueued", b"{}")

    def await_approval(self, run: Run, awaiting: Awaiting) -> None:
        """Note that the run waits, unless that is noted already."""
        self._objects.write_new(f"{_prefix(run)}/awaiting.json", msgspec.json.encode(awaiting))

    def awaiting(self, run: Run) -> Awaiting | None:
        """Since when the run waits, where it did."""
        body = self._objects.read(f"{_prefix(run)}/awaiting.json")
        return _awaiting.decode(body) if body is not None else None

    def approval(self, run: Run) -> Approval | None:
        """What a second person said of the run."""
        body = self._objects.read(f"{_prefix(run)}/approval.json")
        return _approval.decode(body) if body is not None else None

    def decide(self, run: Run, approval: Approval) -> Approval:
        """The word on the run as it was said first."""
        return _approval.decode(self._frozen(f"{_prefix(run)}/approval.json", approval))

    def finish(self, run: Run, targeted: int) -> None:
        """Note how many people the whole run is for."""
        self._objects.write(f"{_prefix(run)}/targeted.json", msgspec.json.encode({"targeted": targeted}))


def _prefix(run: Run) -> str:
    return f"runs/{run.campaign}/{format_instant(run.occurrence)}"


def _page(run: Run, segment: int, number: int) -> str:
    return f"{_prefix(run)}/pages/{segment:04}-{number:06}.json"
