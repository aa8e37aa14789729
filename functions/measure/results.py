"""The stage that writes a day's results for the CRM and the DWH: Parquet and CSV, and last a manifest that names them.

A file's name has its content's hash in it: who reads by a manifest reads what it says, while a later one is being written.
A day whose facts have changed since is written anew, within KEPT_DAYS. docs/results.md describes the files.
"""

import datetime as dt
import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from functions.domain.instants import Instant
from functions.measure.flow import Measured
from functions.measure.periods import newest
from functions.measure.views import Views, WorkspaceViews
from functions.ports.facts import Lake

logger = logging.getLogger(__name__)

PREFIX = "results/v1/"
SCHEMA = 1
KEPT_DAYS = 30
"""Results are there for so long (infra/objects.py): whoever wants them has them by then."""
Form = Literal["parquet", "csv"]
_ENDINGS: Mapping[Form, str] = {"parquet": "parquet", "csv": "csv.gz"}
_FORMS: Mapping[Form, str] = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER, COMPRESSION gzip, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%SZ'",
}
_WHO = "coalesce(o.owner, f.customer_id)"
_KNOWN = "LEFT JOIN owners o ON o.customer_id = f.customer_id"
_TABLES: Mapping[str, tuple[str, str]] = {
    "sends": (
        "sends",
        (
            f"SELECT f.send_id, {_WHO} AS customer_id, f.at, f.status, f.reason, f.kind, f.category, f.scenario, f.campaign, "
            f"f.run, f.step, f.experiment, f.variant, f.message, f.held_out FROM sends f {_KNOWN} ORDER BY f.send_id"
        ),
    ),
    "clicks": (
        "clicks",
        (
            f"SELECT f.click_id, {_WHO} AS customer_id, f.at, f.send_id, f.link, f.scenario, f.campaign, f.step, f.variant "
            f"FROM clicks f {_KNOWN} WHERE f.agent = 'person' ORDER BY f.click_id"
        ),
    ),
    "conversions": (
        "conversions",
        (
            f"SELECT f.goal, f.model, f.order_id, {_WHO} AS customer_id, f.at, f.value_yen, f.gross_profit, f.coupon_yen, "
            "f.send_id, f.scenario, f.campaign, f.run, f.step, f.variant, f.touches, f.sources "
            f"FROM conversions f {_KNOWN} ORDER BY f.goal, f.model, f.order_id, f.event_id"
        ),
    ),
    "memberships": (
        "memberships",
        (
            f"SELECT {_WHO} AS customer_id, f.segment, f.change, f.at FROM memberships f {_KNOWN} ORDER BY 1, 2, 4"
        ),
    ),
}
"""File → the table it is made of, and its rows. People are told as whom they are now."""


class File(msgspec.Struct, frozen=True):
    """One file: `key` in the bucket; `bytes` and `sha256` of it as it lies there."""

    table: str
    format: Form
    key: str
    rows: int
    bytes: int
    sha256: str


class Column(msgspec.Struct, frozen=True):
    """A column, and its type in DuckDB's words; TIMESTAMP is UTC."""

    name: str
    type: str


class Manifest(msgspec.Struct, frozen=True):
    """What a day's results are. Written last, and anew only where a file differs."""

    schema: int
    day: dt.date
    zone: str
    playbook: str
    made_at: Instant
    columns: dict[str, list[Column]]
    files: list[File]


_decoder = msgspec.json.Decoder(Manifest)


def give_results(measured: Measured) -> None:
    """Write the results of the day, and of each earlier day whose facts have changed."""
    oldest = measured.day - dt.timedelta(days=KEPT_DAYS - 1)
    for day in sorted({one for one in measured.touched if oldest <= one < measured.day} | {measured.day}):
        _give(measured, day)


def folder_of(day: dt.date) -> str:
    """Where the results of a day are."""
    return f"{PREFIX}day={day.isoformat()}/"


def manifest_in(lake: Lake, day: dt.date, scratch: Path) -> Manifest | None:
    """A day's manifest; None where there is none."""
    path = scratch / "manifest.json"
    return _decoder.decode(path.read_bytes()) if lake.fetch(f"{folder_of(day)}manifest.json", path) else None


def _give(measured: Measured, day: dt.date) -> None:
    views, scratch = WorkspaceViews(measured.workspace), measured.workspace.scratch / "results"
    scratch.mkdir(exist_ok=True)
    views.view("owners", newest(views.days("owners")))
    columns: dict[str, list[Column]] = {}
    made: list[tuple[File, Path]] = []
    for name, (table, sql) in _TABLES.items():
        views.view(table, [day])
        columns[name] = _columns(views, sql)
        made += _written(views, name, sql, day, scratch)
    scores = scratch / "scores-in"
    if measured.lake.fetch(f"derived/v1/scores/day={day}/part.parquet", scores):
        sql = f"SELECT * FROM read_parquet('{scores}') ORDER BY customer_id"
        columns["scores"] = _columns(views, sql)
        made += _written(views, "scores", sql, day, scratch)
    files = [file for file, _ in made]
    before = manifest_in(measured.lake, day, scratch)
    if before is not None and (before.files, before.columns) == (files, columns):
        return
    for file, path in made:
        measured.lake.store(file.key, path)
    manifest = Manifest(SCHEMA, day, measured.zone, measured.playbook.version, measured.now, columns, files)
    _publish(measured.lake, manifest, before, scratch)


def _publish(lake: Lake, manifest: Manifest, before: Manifest | None, scratch: Path) -> None:
    """The manifest, once all that it names is there; what the one before named goes after it."""
    path = scratch / "manifest.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
    lake.store(f"{folder_of(manifest.day)}manifest.json", path)
    named = {file.key for file in manifest.files}
    lake.remove(sorted({file.key for file in before.files} - named) if before else [])
    logger.info("results of %s: %d files", manifest.day, len(manifest.files))


def _columns(views: Views, sql: str) -> list[Column]:
    return [Column(name, kind) for name, kind, *_ in views.connection.execute(f"DESCRIBE {sql}").fetchall()]


def _written(views: Views, name: str, sql: str, day: dt.date, scratch: Path) -> list[tuple[File, Path]]:
    """A table in both forms: worked out once, as Parquet, which the CSV is then made of."""
    parquet = scratch / f"{name}.parquet"
    again = f"SELECT * FROM read_parquet('{parquet}')"
    return [
        _file(views, name, "parquet", sql, day, parquet),
        _file(views, name, "csv", again, day, scratch / f"{name}.csv.gz"),
    ]


def _file(views: Views, name: str, form: Form, sql: str, day: dt.date, path: Path) -> tuple[File, Path]:
    views.connection.execute("SET preserve_insertion_order = true")
    rows = views.connection.execute(f"COPY ({sql}) TO '{path}' ({_FORMS[form]})").fetchone()
    views.connection.execute("SET preserve_insertion_order = false")
    assert rows is not None
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    key = f"{folder_of(day)}{name}.{digest[:16]}.{_ENDINGS[form]}"
    return File(name, form, key, int(rows[0]), path.stat().st_size, digest), path
