"""`python -m ops.bench.measured_day FOLDER DAYS SENDS`: one day's measuring over a lake with a history, in a process of its own.

The lake is made first, in another process: DAYS days of a small shop's facts, all measured, and then a day with so many
sends and what follows from them, as raw rows. Then the production flow measures that day. One line of JSON.
"""

import datetime as dt
import json
import multiprocessing
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path

import duckdb
import msgspec

from functions.domain.compiled import Compiled
from functions.domain.context import EMPTY, Context
from functions.domain.facts import CLICKS, EVENTS, FRIENDSHIPS, JOURNEYS, MEMBERSHIPS, PEOPLE, SENDS
from functions.domain.lake import Table, days_between
from functions.measure.deriving import derive
from functions.measure.flow import Measure, Stage
from functions.measure.folder_lake import FolderLake
from functions.measure.results import give_results
from functions.measure.stages import Rankings, Recommendations, scores
from functions.measure.watch import Watch
from functions.measure.workspace import Workspace, opened
from functions.playbook import load_playbook
from functions.ports.messages import MeasureDay
from infra.bundle import ROOT

DAY = dt.date(2026, 11, 25)
NOW = dt.datetime(2026, 11, 25, 19, tzinfo=dt.UTC)
CUSTOMERS = 200_000
HISTORY_SENDS = 3_000
OBJECT_ROWS = 5_000
"""Rows a raw object, as a stream's batch brings them."""


class Day(msgspec.Struct):
    """What one day's measuring took. `bare_seconds`: DuckDB reads the same raw rows and writes them as Parquet, no more."""

    seconds: float
    merge_seconds: float
    bare_seconds: float
    cpu_seconds: float
    peak_mb: float
    objects_read: int
    bytes_read: int
    objects_written: int
    bytes_written: int


class CountingLake(FolderLake):
    """Counts what is asked of it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.counts: Counter[str] = Counter()

    def keys(self, prefix: str) -> list[str]:
        """Counts as an object for each thousand keys."""
        found = super().keys(prefix)
        self.counts["read"] += 1 + len(found) // 1_000
        return found

    def fetch(self, key: str, path: Path) -> bool:
        """Counts the object and its bytes."""
        found = super().fetch(key, path)
        self.counts["read"] += 1
        self.counts["bytes_read"] += path.stat().st_size if found else 0
        return found

    def store(self, key: str, path: Path) -> None:
        """Counts the object and its bytes."""
        super().store(key, path)
        self.counts["written"] += 1
        self.counts["bytes_written"] += path.stat().st_size

    def remove(self, keys: Collection[str]) -> None:
        """Counts a request for each thousand."""
        super().remove(keys)
        self.counts["written"] += bool(keys) + len(keys) // 1_000


class _InForce:
    """The shop's playbook."""

    def __init__(self) -> None:
        self._compiled = Compiled(load_playbook(ROOT / "playbooks" / "ec"))

    def in_force(self) -> Compiled:
        return self._compiled

    def version(self, _version: str) -> Compiled:
        return self._compiled


class _Facts:
    """Context facts in memory."""

    def __init__(self) -> None:
        self._context: Context = EMPTY

    def read(self) -> Context:
        return self._context

    def change(self, change: Callable[[Context], Context]) -> Context:
        self._context = change(self._context)
        return self._context


class _Nobody:
    """No other invocation."""

    def again(self, order: MeasureDay) -> None:
        raise AssertionError(order)


def flow(lake: FolderLake, stages: tuple[Stage, ...] | None = None) -> Measure:
    """The production flow over this lake."""
    facts = _Facts()
    every: tuple[Stage, ...] = (
        derive,
        scores,
        Recommendations(facts),
        Rankings(facts),
        Watch(),
        give_results,
    )
    return Measure(lake, _InForce(), every if stages is None else stages, lambda: NOW, _Nobody())


def rows_of(day: dt.date, sends: int) -> dict[Table, str]:
    """SQL for a day's facts: sends, of every twenty a click, of every fifty an order, and what else moves."""
    begins = dt.datetime.combine(day - dt.timedelta(days=1), dt.time(15))
    people = max(sends // 3, 1)
    common = f"TIMESTAMP '{begins}' + to_milliseconds(CAST(hash(i) % 86400000 AS BIGINT)) AS at, TIMESTAMP '{begins}' AS seen_at"
    who = f"'customer-' || lpad(CAST(hash(i, {day.toordinal()}) % {CUSTOMERS} AS VARCHAR), 8, '0') AS customer_id"
    send_id = f"substr(md5('{day}' || i), 1, 8) || '-' || substr(md5('{day}' || i), 9, 4) || '-5' || substr(md5('{day}' || i), 13, 23)"
    source = (
        "CASE i % 4 WHEN 0 THEN '' ELSE 'scenario_' || i % 4 END AS scenario, "
        "CASE i % 4 WHEN 0 THEN 'weekly_picks' ELSE '' END AS campaign, 'step_' || i % 7 AS step, "
        "CASE i % 2 WHEN 0 THEN 'a' ELSE 'b' END AS variant"
    )
    return {
        SENDS: f"""SELECT {send_id} AS send_id, {who}, customer_id AS unit, {common}, "at" AS made_at,
            CASE WHEN i % 5 = 0 THEN 'suppressed' ELSE 'sent' END AS status,
            CASE WHEN i % 5 = 0 THEN 'capped:promotions' ELSE '' END AS reason, 'promotion' AS kind, 'offers' AS category,
            {source}, '' AS run, 'subject' AS experiment, 'message_' || i % 9 AS message,
            substr(md5('m' || i % 9), 1, 16) AS message_hash, 'a1b2c3d4' AS playbook, i % 20 = 0 AS held_out, 0 AS holds
            FROM range({sends}) r (i)""",
        CLICKS: f"""SELECT md5('{day}c' || i) AS click_id, {who}, {common}, {send_id} AS send_id, 'top' AS link, {source},
            'person' AS agent FROM range(0, {sends}, 20) r (i)""",
        EVENTS: f"""SELECT md5('{day}e' || i) AS event_id, {who}, 'purchase' AS name, {common}, 'confirmed' AS status,
            'shop' AS source, false AS imported, '{{"order_id":"o' || '{day}' || i || '","amount":' || 1000 + i % 9000 ||
            ',"category":"c' || i % 8 || '","item":"item' || i % 300 || '"}}' AS properties
            FROM range(0, {sends}, 50) r (i)""",
        FRIENDSHIPS: f"""SELECT md5('{day}f' || i) AS event_id, {who}, {common},
            CASE WHEN i % 3 = 0 THEN 'block' ELSE 'follow' END AS change FROM range(0, {sends}, 500) r (i)""",
        MEMBERSHIPS: f"""SELECT {who}, 'segment_' || i % 6 AS segment,
            CASE WHEN i % 2 = 0 THEN 'entered' ELSE 'left' END AS change, {common}, 'a1b2c3d4' AS playbook
            FROM range({people // 4}) r (i)""",
        JOURNEYS: f"""SELECT substr(md5('{day}j' || i), 1, 12) AS journey_id, {who}, 'scenario_' || i % 4 AS scenario,
            'a1b2c3d4' AS playbook, 1 AS occurrence, 'entered' AS change, {common}, '' AS variant
            FROM range({people // 4}) r (i)""",
        PEOPLE: f"""SELECT {who}, customer_id AS owner, customer_id AS unit, true AS linked, {common}
            FROM range(0, {sends}, 1000) r (i)""",
    }  # fmt: skip


def first_orders(day: dt.date) -> dict[Table, str]:
    """Everybody's first order, on the first day of every history."""
    sql = rows_of(day, 50 * CUSTOMERS)[EVENTS]
    everybody = sql.replace(f"hash(i, {day.toordinal()}) % {CUSTOMERS}", "i // 50")
    return {EVENTS: everybody}


def prepare(folder: Path, days: int, sends: int) -> None:
    """A history that is measured, and a day's raw rows."""
    lake = FolderLake(folder)
    first = DAY - dt.timedelta(days=days)
    with opened(lake) as workspace:
        _publish(workspace, first, first_orders(first))
        for day in days_between(first + dt.timedelta(days=1), DAY - dt.timedelta(days=1)):
            _publish(workspace, day, rows_of(day, HISTORY_SENDS))
    yesterday = DAY - dt.timedelta(days=1)
    flow(lake).run(MeasureDay(yesterday), lambda: float("inf"))
    for table, sql in rows_of(DAY, sends).items():
        _drop(folder, table, sql)


def _publish(workspace: Workspace, day: dt.date, facts: dict[Table, str]) -> None:
    for table, sql in facts.items():
        workspace.publish(table, day, sql)


def _drop(folder: Path, table: Table, sql: str) -> None:
    """Raw rows as the streams' function writes them, some thousand an object."""
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    columns = ", ".join(
        f'strftime("{name}", \'%Y-%m-%dT%H:%M:%S.%fZ\') AS "{name}"' if kind == "TIMESTAMP" else f'"{name}"'
        for name, kind in table.types.items()
    )
    connection.execute(f"CREATE TABLE rows AS SELECT {columns}, row_number() OVER () AS place FROM ({sql})")
    (count,) = connection.execute("SELECT count(*) FROM rows").fetchall()[0]
    into = folder / table.raw_prefix
    into.mkdir(parents=True, exist_ok=True)
    for start in range(0, count, OBJECT_ROWS):
        connection.execute(
            f"COPY (SELECT * EXCLUDE (place) FROM rows WHERE place > {start} AND place <= {start + OBJECT_ROWS}) "
            f"TO '{into / f'{start:09}.jsonl.gz'}' (FORMAT json, COMPRESSION gzip)"
        )


def bare(folder: Path) -> float:
    """Seconds in which DuckDB reads the raw sends and writes them as they are."""
    connection = duckdb.connect(config={"threads": "2"})
    connection.execute("SET enable_progress_bar = false")
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in SENDS.types.items())
    began = time.perf_counter()
    connection.execute(
        f"COPY (SELECT * FROM read_json('{folder / SENDS.raw_prefix}/*.gz', format = 'newline_delimited', "
        f"columns = {{{columns}}})) TO '{folder / 'bare.parquet'}' (FORMAT parquet, COMPRESSION zstd)"
    )
    return time.perf_counter() - began


def measure(folder: Path) -> Day:
    """Measure the day."""
    lake = CountingLake(folder)
    began, began_cpu = time.perf_counter(), time.process_time()
    flow(lake, ()).run(MeasureDay(DAY - dt.timedelta(days=2)), lambda: float("inf"))
    merged = time.perf_counter()
    flow(lake).run(MeasureDay(DAY), lambda: float("inf"))
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    of = lake.counts
    return Day(
        done - began, merged - began, 0.0, time.process_time() - began_cpu, peak,
        of["read"], of["bytes_read"], of["written"], of["bytes_written"],
    )  # fmt: skip


def main(arguments: list[str]) -> None:
    """Prepare in one process, compare and measure in others: none inherits another's memory."""
    folder, days, sends = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(1, maxtasksperchild=1) as pool:
        pool.apply(prepare, (folder, days, sends))
        bare_seconds = pool.apply(bare, (folder,))
        found = pool.apply(measure, (folder,))
    print(json.dumps(msgspec.to_builtins(msgspec.structs.replace(found, bare_seconds=bare_seconds))))


if __name__ == "__main__":
    main(sys.argv[1:])
