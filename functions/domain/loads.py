"""Files dropped for loading: what their key says, and how far a load of one has come."""

import datetime as dt
import hashlib
import re
from typing import Literal

import msgspec

from functions.domain.instants import Instant, InstantError, format_instant, local_day_at, parse_instant
from functions.domain.playbook import Playbook
from functions.domain.stored import Carrying

INCOMING = "incoming/"
Kind = Literal["events", "history", "snapshot", "partial"]
Form = Literal["csv", "jsonl", "parquet"]
Stage = Literal["hashing", "rows", "missing", "done"]
KINDS: tuple[Kind, ...] = ("events", "history", "snapshot", "partial")
_FORMS: dict[str, Form] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
_STATED = re.compile(
    r"(?<![0-9])([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:T([0-9]{2})[:-]?([0-9]{2})(?:[:-]?([0-9]{2}))?Z)?(?![0-9])"
)
SOURCE_CHARACTERS_MAX = 64


class Refusal(msgspec.Struct, frozen=True):
    """Why a file is not loaded at all, in a sentence that tells how to mend it."""

    why: str


class Drop(msgspec.Struct, frozen=True):
    """What a key says: `incoming/<source>/[history/|snapshot/|partial/]<name>.<csv|jsonl|parquet>[.gz]`.

    `events` may start journeys, `history` never does; a `snapshot` is everybody's attributes, a `partial` one some
    people's. `stated`: the day or the UTC instant that stands in the name (`…_2026-11-26.csv`, `…_20261126T0300Z.csv`).
    """

    source: str
    kind: Kind
    form: Form
    gz: bool
    stated: str = ""


def drop_of(key: str) -> Drop | Refusal | None:
    """What a key says of its file; None for what is no file (a folder)."""
    if key.endswith("/") or not key.startswith(INCOMING):
        return None
    source, *folders, name = (
        key.removeprefix(INCOMING).split("/") if "/" in key[len(INCOMING) :] else ("", key)
    )
    if not source or len(source) > SOURCE_CHARACTERS_MAX:
        return Refusal("put the file under incoming/<source>/, with the source as playbook.yaml names it.")
    stem, gz = (name[:-3], True) if name.lower().endswith(".gz") else (name, False)
    form = next((form for ending, form in _FORMS.items() if stem.lower().endswith(ending)), None)
    if form is None or (gz and form == "parquet"):
        return Refusal("the name must end in .csv, .jsonl, .csv.gz, .jsonl.gz or .parquet.")
    kind: Kind = next((kind for kind in KINDS if kind in folders), "events")
    return Drop(source, kind, form, gz, _stated(stem))


def _stated(name: str) -> str:
    found = list(_STATED.finditer(name))
    if not found:
        return ""
    year, month, day, hour, minute, second = found[-1].groups()
    date = f"{year}-{month}-{day}"
    return f"{date}T{hour}:{minute}:{second or '00'}Z" if hour else date


def stated_instant(stated: str, kind: Kind, zone: str) -> Instant | None:
    """The instant up to which a file is complete by its name. None where the name does not say.

    A day is the account's own: a snapshot of it shows its beginning, events of it run to its end.
    """
    try:
        if "T" in stated:
            return parse_instant(stated)
        day = dt.datetime.fromisoformat(stated).replace(hour=12, tzinfo=dt.UTC)
    except (InstantError, ValueError):
        return None
    ahead = 0 if kind in ("snapshot", "partial") else 1
    return local_day_at(day, ahead, dt.time(), zone)


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the next row begins: `offset` in bytes (unpacked), or the row group and the row within it; the last line and
    the number of rows before it."""

    offset: int = 0
    line: int = 0
    row: int = 0


class Load(Carrying, msgspec.Struct, frozen=True, omit_defaults=True):
    """One load of one version of a file, as far as it has come. It holds nothing about a person.

    `fingerprint` names content, source and kind: event ids are made of it, so that the same file dropped twice is the
    same events; `same_as` is the load that had it first. `newest`: the latest instant of a row taken in; `watermark`:
    up to when the source's data is complete by this load. Of full snapshots: `before` is the one before, `gone` its
    attributes, `nameless` the rows of which nobody knows whose they are, `kept_back` why nobody was taken as missing,
    `merged`, `people`, `last_key` and `keys_pages` how far the comparison has come. `refused`: why the file was not loaded.
    """

    load_id: str
    key: str
    version: str
    size: int
    drop: Drop
    began_at: Instant
    stage: Stage = "hashing"
    hashed: int = 0
    chain: str = ""
    fingerprint: str = ""
    same_as: str = ""
    refused: str = ""
    as_of: Instant | None = None
    columns: list[str] = []
    gone: list[str] = []
    before: str = ""
    before_people: int = 0
    nameless: int = 0
    kept_back: str = ""
    merged: int = 0
    people: int = 0
    place: Place = Place()
    windows: int = 0
    rows: int = 0
    taken: int = 0
    rejected: int = 0
    told: int = 0
    causes: dict[str, int] = {}
    newest: Instant | None = None
    tombstones: int = 0
    last_key: str = ""
    keys_pages: int = 0
    watermark: Instant | None = None
    ended_at: Instant | None = None

    @property
    def state(self) -> str:
        """`loading`, `loaded`, `same` (its content was loaded before) or `refused`."""
        if self.refused:
            return "refused"
        if self.same_as:
            return "same"
        return "loaded" if self.stage == "done" else "loading"

    def event_id(self, row: int) -> str:
        """The id of the event in this row where it names none. Padded: of two rows of one instant the later one wins."""
        return f"file:{self.fingerprint}:{row:010}"


def load_id_of(key: str, version: str) -> str:
    """The name of the load of one version of an object, whoever asks for it and however often."""
    return hashlib.sha256(f"{key}\0{version}".encode()).hexdigest()[:20]


def chained(chain: str, block: bytes) -> str:
    """The hash of what was hashed so far and the next block: unlike a running SHA-256 it can be kept between calls."""
    return hashlib.sha256(bytes.fromhex(chain) + block).hexdigest()


def fingerprint_of(load: Load) -> str:
    """What names the content of a whole file, as what it was dropped."""
    said = (
        load.chain,
        load.drop.source,
        load.drop.kind,
        load.drop.form,
        format_instant(load.as_of) if load.as_of else "",
    )
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:24]


def watermark_of(load: Load, playbook: Playbook, now: Instant) -> Instant | None:
    """Up to when the source is complete by this load: as the name says, or else the newest row. Never ahead of now."""
    stated = stated_instant(load.drop.stated, load.drop.kind, playbook.zone)
    until = stated or load.as_of or load.newest
    return min(until, now) if until else None
