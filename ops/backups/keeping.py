"""Backups under `backups/<id>/` in the bucket: every row of every table, in lines that look like DynamoDB's own exports.

A backup is whole once its manifest stands, which is written last. The timers are read first and last: what waited for one
instant and then for another while the tables were read is found under one of them.
"""

import base64
import gzip
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from functions.aws.parallel_scans import scanned
from functions.domain.instants import Instant
from ops.errors import UserError
from ops.stores import Stores

PREFIX = "backups/"
TABLES = ("timers", "customers", "events", "gates", "identities", "sends")
"""In the order in which they are read: what a message in flight leaves behind comes after what it came from."""
ROWS_AN_OBJECT = 5_000
Row = dict[str, Any]
OnRows = Callable[[str, int], None]


class Part(msgspec.Struct, frozen=True):
    """One object of a backup: `sha256` of its bytes."""

    key: str
    rows: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """One backup. `at`: by the deployment's clock, `wall`: by the machine's, both before the first row was read."""

    backup_id: str
    at: Instant
    wall: float
    by: str
    why: str
    parts: dict[str, list[Part]]

    @property
    def rows(self) -> dict[str, int]:
        """How many rows of each table."""
        return {table: sum(part.rows for part in parts) for table, parts in self.parts.items()}


_manifest = msgspec.json.Decoder(Manifest)


def table_name(stores: Stores, table: str) -> str:
    """What a table is called in this deployment."""
    return str(getattr(stores.settings, f"table_{table}"))


def kept(stores: Stores, backup_id: str, by: str, why: str, on_rows: OnRows) -> Manifest:
    """Read all tables and keep them; the manifest, which is written last."""
    at, wall = stores.now(), time.time()
    parts: dict[str, list[Part]] = {table: [] for table in TABLES}
    for number, table in enumerate((*TABLES, "timers")):
        client, name = stores.target.client("dynamodb"), table_name(stores, table)
        rows = scanned(client, name, ConsistentRead=True)
        for part in _parts(stores, f"{PREFIX}{backup_id}/{number}-{table}", rows):
            parts[table].append(part)
            on_rows(table, part.rows)
    manifest = Manifest(backup_id, at, wall, by, why, parts)
    if not stores.objects.write_new(_key(backup_id), msgspec.json.encode(manifest)):
        raise UserError(f"There is a backup {backup_id} already; try again.")
    return manifest


def _parts(stores: Stores, prefix: str, rows: Iterator[Row]) -> Iterator[Part]:
    number = 0
    while page := list(islice(rows, ROWS_AN_OBJECT)):
        body = gzip.compress(b"".join(map(line_of, page)), mtime=0)
        key = f"{prefix}-{number:06}.json.gz"
        stores.objects.write(key, body)
        yield Part(key, len(page), hashlib.sha256(body).hexdigest())
        number += 1


def line_of(row: Row) -> bytes:
    """A row as DynamoDB exports it: its JSON, with bytes in base 64."""
    return json.dumps({"Item": row}, default=_in_base64, ensure_ascii=False).encode() + b"\n"


def row_of(line: bytes | str) -> Row:
    """The row of a line."""
    item = json.loads(line)["Item"]
    return {name: _value(value) for name, value in item.items()}


def _in_base64(value: Any) -> str:
    return base64.b64encode(bytes(value)).decode()


def _value(value: Mapping[str, Any]) -> dict[str, Any]:
    [(kind, inner)] = value.items()
    if kind == "B":
        return {"B": base64.b64decode(inner)}
    if kind == "M":
        return {"M": {name: _value(one) for name, one in inner.items()}}
    if kind == "L":
        return {"L": [_value(one) for one in inner]}
    return {kind: inner}


def rows_of(stores: Stores, manifest: Manifest, table: str) -> Iterator[Row]:
    """Every row of a table. UserError where an object of the backup is gone, or is not what was written."""
    for part in manifest.parts[table]:
        body = stores.objects.read(part.key)
        if body is None or hashlib.sha256(body).hexdigest() != part.sha256:
            raise UserError(
                f"{part.key} of the backup is missing or was changed: nothing more is put back from it. An older backup, or "
                "--at INSTANT on AWS, is the way; what was put back stays, and is found again."
            )
        yield from map(row_of, gzip.decompress(body).splitlines())


def found(stores: Stores, backup_id: str) -> Manifest:
    """A backup by its id, or the newest for `latest`. UserError where there is none."""
    if backup_id == "latest":
        every = backups(stores)
        if not every:
            raise UserError("There is no backup; 'musubi backups create' makes one.")
        return every[-1]
    body = stores.objects.read(_key(backup_id))
    if body is None:
        raise UserError(f"There is no backup {backup_id!r}; see 'musubi backups list'.")
    return _manifest.decode(body)


def backups(stores: Stores) -> list[Manifest]:
    """All that are whole, the oldest first."""
    keys: Iterable[str] = (key for key in stores.objects.keys(PREFIX) if key.endswith("/manifest.json"))
    bodies = [stores.objects.read(key) for key in keys]
    return sorted((_manifest.decode(body) for body in bodies if body), key=lambda one: one.wall)


def _key(backup_id: str) -> str:
    return f"{PREFIX}{backup_id}/manifest.json"
