"""The objects of the bucket, in all their versions: what names the person is written anew without them, or goes.

Every object is read. What is written is written on condition that nobody changed the object meanwhile; the versions before
are deleted then, so that a crash between leaves them for the next sweep.
"""

import gzip
import hashlib
import io
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import msgspec

from functions.aws.loads import S3Loads
from functions.aws.objects import S3Runs
from functions.domain.approvals import Approval, Awaiting, RunHash
from functions.domain.campaigns import Chunk, Run
from functions.domain.erasure import Person, anonymous_chunk, scrubbed
from functions.domain.sends import EXPIRES_MAX
from functions.measure.progress import TOUCHED
from functions.measure.results import PREFIX as RESULTS
from ops.erasing import lake
from ops.erasing.keeping import OPEN
from ops.stores import Stores

PLAYBOOKS = "playbooks/"
"""What marketers wrote, and no customer's: its words may be like anybody's id."""
BACKUPS = "backups/"
"""They age out as point-in-time recovery does, and nobody who was erased is put back from either (ops/backups/known.py)."""
NULL = "null"
"""The version of an object in a bucket that keeps no versions: to delete it is to delete the object."""
LINES = (".jsonl", ".csv", ".jsonl.gz", ".csv.gz", ".ndjson")
_chunk = msgspec.json.Decoder(Chunk)
_run = msgspec.json.Decoder(Run)
_approval = msgspec.json.Decoder(Approval)
_awaiting = msgspec.json.Decoder(Awaiting)


class Stays(Exception):
    """Why an object cannot be mended yet; the message is shown."""


class Version(NamedTuple):
    """One version of an object, or (`marker`) that it was deleted."""

    key: str
    version: str
    latest: bool
    marker: bool


@dataclass(frozen=True, slots=True)
class Things:
    """The bucket of one deployment, and whom to take out. `dry`: only count."""

    stores: Stores
    person: Person
    dry: bool = False

    def sweep(self) -> tuple[Counter[str], list[str]]:
        """How many versions were written anew or deleted, by the first part of their keys; and what had to stay, and why."""
        found: Counter[str] = Counter()
        stays: list[str] = []
        for key, versions in groupby(self._versions(), key=lambda one: one.key):
            if key.startswith((OPEN, PLAYBOOKS, BACKUPS)):
                continue
            try:
                found[f"objects:{key.partition('/')[0]}"] += self._treat(key, list(versions))
            except Stays as why:
                stays.append(f"{key}: {why}")
        return +found, stays

    @property
    def _s3(self) -> Any:
        return self.stores.target.client("s3")

    def _versions(self) -> Iterator[Version]:
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.stores.settings.bucket)
        for page in pages:
            found = [
                Version(one["Key"], one["VersionId"], one["IsLatest"], marker)
                for name, marker in (("Versions", False), ("DeleteMarkers", True))
                for one in page.get(name, [])
            ]
            yield from sorted(found, key=lambda one: one.key)

    def _treat(self, key: str, versions: list[Version]) -> int:
        named = [one for one in versions if not one.marker and self._is_named(key, self._body(one))]
        if not named or self.dry:
            return len(named)
        if any(one.latest for one in named):
            self._renew(key)
        for one in named:
            if one.version != NULL:
                self._s3.delete_object(Bucket=self.stores.settings.bucket, Key=key, VersionId=one.version)
        return len(named)

    def _body(self, one: Version) -> bytes:
        arguments = {"VersionId": one.version} if one.version != NULL else {}
        try:
            answer = self._s3.get_object(Bucket=self.stores.settings.bucket, Key=one.key, **arguments)
        except self._s3.exceptions.NoSuchKey:
            return b""
        body: bytes = answer["Body"].read()
        return body

    def _is_named(self, key: str, body: bytes) -> bool:
        if lake.is_of_lake(key) or (key.startswith(RESULTS) and key.endswith(".parquet")):
            return lake.names(body, self.person)
        plain = _opened(key, body)
        if not self.person.may_be_in(plain):
            return False
        try:
            return self._rewritten(key, plain, looking=True) != plain
        except Stays:
            return True

    def _renew(self, key: str) -> None:
        """Write the object as it is now without the person. What somebody changed meanwhile is left to the next sweep."""
        found = self.stores.objects.read_tagged(key)
        if found is None:
            return
        body, tag = found
        if key.startswith((*lake.PREFIXES, RESULTS)):
            self._measure_anew(key)
        rewritten = self._without(key, body)
        if rewritten is None:
            self._s3.delete_object(Bucket=self.stores.settings.bucket, Key=key)
        elif not self.stores.objects.write_over(key, rewritten, tag):
            raise Stays("somebody is writing it")

    def _without(self, key: str, body: bytes) -> bytes | None:
        """The object's bytes without the person; None where nothing of it is to be kept. Raises Stays."""
        if key.startswith(RESULTS):
            return None  # its name is its content's: the next measuring gives the day's results anew
        if lake.is_of_lake(key):
            return lake.anonymous(body, self.person, self._indexed)
        rewritten = self._rewritten(key, _opened(key, body))
        return None if rewritten is None else _packed(rewritten, body)

    def _indexed(self, event: str) -> list[str]:
        known = self.stores.playbooks.in_force().dictionary.get(event)
        return [key for key, kind in known.properties.items() if kind.index] if known else []

    def _measure_anew(self, key: str) -> None:
        """Before anything changes: what rests on the day is derived from what will be there then."""
        note = hashlib.sha256(key.encode()).hexdigest()[:16]
        self.stores.objects.write(f"{TOUCHED}{lake.day_of(key)}/{note}", b"")

    def _rewritten(self, key: str, plain: bytes, *, looking: bool = False) -> bytes | None:
        """The object without the person; None where nothing of it is to be kept. Raises Stays."""
        parts = key.split("/")
        if parts[0] == "runs" and "pages" in parts and key.endswith(".json"):
            return self._page(key, plain, looking=looking)
        if parts[0] == "rejected":
            return _without_rejected(plain, self.person)
        if parts[0] == "incoming":
            return self._file(key, plain, looking=looking)
        if key.startswith("loads/keys/"):
            return _without_keys(plain, self.person)
        if parts[0] == "failures":
            return None if self.person.words.search(plain.decode(errors="replace")) else plain
        if key.endswith(LINES):
            return _without_lines(plain, self.person)
        return self._json(key, parts[0], plain, looking=looking)

    def _file(self, key: str, plain: bytes, *, looking: bool) -> bytes | None:
        """A file that was dropped goes as a whole once it is loaded: written anew, it would be loaded anew."""
        if not self.person.words.search(plain.decode(errors="replace")):
            return plain
        loads = S3Loads(self.stores.objects).all()
        if not looking and any(one.key == key and one.ended_at is None for one in loads):
            raise Stays("it is being loaded")
        return None

    def _json(self, key: str, room: str, plain: bytes, *, looking: bool) -> bytes:
        try:
            value = json.loads(plain)
        except ValueError:
            if self.person.words.search(plain.decode(errors="replace")):
                raise Stays("it names the person and nobody can read it; mend or remove it by hand") from None
            return plain
        if isinstance(value, dict) and value.get("next_key") in self.person.ids and not value.get("done"):
            self._must_be_over(key, looking=looking)
        after = scrubbed(value, self.person, everywhere=room == "loads", prose=room == "audits")
        return plain if after == value else msgspec.json.encode(after)

    def _page(self, key: str, plain: bytes, *, looking: bool) -> bytes:
        """A frozen page: places stay, for batches go by them; its run stays approved."""
        chunk = _chunk.decode(plain)
        changed = anonymous_chunk(chunk, self.person)
        if changed == chunk:
            return plain
        if chunk.next_key in self.person.ids and not self.stores.objects.exists(_following(key)):
            self._must_be_over(key, looking=looking)
        if not looking and not self.dry:
            self._keep_approved(key.partition("/pages/")[0])
        return msgspec.json.encode(changed)

    def _must_be_over(self, key: str, *, looking: bool) -> None:
        """A scan goes on from a key that is the person's id: it has to pass first, unless it was given up long ago."""
        if looking:
            return
        head = self._s3.head_object(Bucket=self.stores.settings.bucket, Key=key)
        if time.time() - head["LastModified"].timestamp() < EXPIRES_MAX.total_seconds():
            raise Stays("a scan is under way and goes on from this person's row")

    def _keep_approved(self, prefix: str) -> None:
        """Let what a second person said of this run hold for its list without the erased person, too: before the list is
        changed, so that nobody ever finds the one without the other."""
        objects, runs = self.stores.objects, S3Runs(self.stores.objects)
        approval, awaiting = objects.read(f"{prefix}/approval.json"), objects.read(f"{prefix}/awaiting.json")
        if approval is None and awaiting is None:
            return
        run = _run.decode(objects.read(f"{prefix}/run.json") or b"")
        before, after = self._hashes(runs, run)
        if approval is not None and (word := _approval.decode(approval)).holds_for(before):
            also = sorted({*word.also, after})
            objects.write(
                f"{prefix}/approval.json", msgspec.json.encode(msgspec.structs.replace(word, also=also))
            )
        if awaiting is not None and (told := _awaiting.decode(awaiting)).hash == before:
            objects.write(
                f"{prefix}/awaiting.json", msgspec.json.encode(msgspec.structs.replace(told, hash=after))
            )

    def _hashes(self, runs: S3Runs, run: Run) -> tuple[str, str]:
        """The run's hash as its pages are, and as they will be."""
        compiled = self.stores.playbooks.version(run.playbook)
        before, after = RunHash(run, compiled), RunHash(run, compiled)
        for segment in range(run.scan_segments):
            number = 0
            while (chunk := runs.chunk(run, segment, number)) is not None:
                before.add(chunk)
                after.add(anonymous_chunk(chunk, self.person))
                number += 1
                if not chunk.next_key:
                    break
        return before.frozen.hash, after.frozen.hash


def _following(key: str) -> str:
    """The page after a page: `…/0001-000002.json` → `…/0001-000003.json`."""
    head, _, number = key.removesuffix(".json").rpartition("-")
    return f"{head}-{int(number) + 1:06}.json"


def _opened(key: str, body: bytes) -> bytes:
    """What can be looked through: the values of a Parquet file as text, and whatever was compressed."""
    if not key.endswith(".parquet") or not body:
        return _plain(body)
    import pyarrow.parquet as pq  # noqa: PLC0415 — slow to import, and seldom needed

    batches = pq.ParquetFile(io.BytesIO(body)).iter_batches()
    return "\n".join(str(batch.to_pydict()) for batch in batches).encode()


def _without_keys(plain: bytes, person: Person) -> bytes:
    """A page of customer ids: an id that stood for the person would be taken for a customer's."""
    keys = json.loads(plain)
    kept = [one for one in keys if one not in person.ids]
    return plain if kept == keys else msgspec.json.encode(kept)


def _plain(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def _packed(plain: bytes, like: bytes) -> bytes:
    return gzip.compress(plain) if like.startswith(b"\x1f\x8b") else plain


def _without_rejected(plain: bytes, person: Person) -> bytes | None:
    """A request's rejected events without the person's."""
    kept = json.loads(plain)
    rest = [one for one in kept["rejected"] if scrubbed(one, person, everywhere=True, prose=True) == one]
    if len(rest) == len(kept["rejected"]):
        return plain
    return json.dumps({**kept, "rejected": rest}).encode() if rest else None


def _without_lines(plain: bytes, person: Person) -> bytes:
    """A file of rows without the rows in which an id stands."""
    lines = plain.decode(errors="surrogateescape").splitlines(keepends=True)
    kept = [line for line in lines if not person.words.search(line)]
    return "".join(kept).encode(errors="surrogateescape")
