"""`python -m ops.soak.loading`: a file of a million rows, dropped on the engine's S3 and loaded by the real function while its
workers are killed. Every row comes out once, and the memory of a worker does not grow with the file."""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from functions.aws.loads import S3Loads
from functions.aws.queues import decode_inbox
from functions.domain.instants import format_instant
from functions.domain.loads import Load
from functions.ports.messages import EventsReceived
from ops.errors import UserError
from ops.local.place import Place
from ops.local.up import bring_up
from ops.local.workers import kill, workers_of
from ops.soak.alone import alone
from ops.soak.concluded import concluded, table_of
from ops.soak.storm import START, apply_playbook, wishes_of
from ops.stores import Stores
from ops.target import Target

OUTPUT = Path("build/soak-loading.json")
ROWS = 1_000_000
ROWS_A_CUSTOMER = 50
KEY = "incoming/shop/million_2026-11-01.csv"
HEADER = "customer_id,name,occurred_at,order_id,amount\n"
KILL_AT = (0.3, 0.7)
LOOK_EVERY_SECONDS = 0.5
HIDDEN_SECONDS = 90
"""For so long a killed worker's message stays away: longer than a worker needs for its part, or several would be at it at
once, and each look is a receive of the few that it has."""
WAIT_SECONDS_MAX = 1800
MEGABYTE = 1 << 20
GROWTH_BYTES_MAX = 48 * MEGABYTE
"""From the first tenth of the rows to the last: what an allocator keeps, and nothing of the file's size."""
FUNCTION_BYTES = 1024 * MEGABYTE


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. Memory is resident bytes of the load function's largest worker; `events` as they lie in the inbox,
    repeats of a killed worker's window included, which `decide` knows by their ids."""

    rows: int
    taken: int
    rejected: int
    distinct_events: int
    events: int
    workers_killed: int
    early_bytes: int
    peak_bytes: int
    seconds: float

    @property
    def amiss(self) -> list[str]:
        """What is not as it must be: one line each."""
        found = {
            "rows taken": (self.taken, self.rows),
            "rows rejected": (self.rejected, 0),
            "events by their ids": (self.distinct_events, self.rows),
            "workers killed": (self.workers_killed, len(KILL_AT)),
        }
        wrong = [
            f"{what}: {one:,}, wanted {wanted:,}" for what, (one, wanted) in found.items() if one != wanted
        ]
        if self.peak_bytes - self.early_bytes > GROWTH_BYTES_MAX:
            wrong.append(f"memory grows with the file: {self.early_bytes:,} to {self.peak_bytes:,} bytes")
        if self.peak_bytes > FUNCTION_BYTES:
            wrong.append(f"{self.peak_bytes:,} bytes are more than the function has")
        return wrong


def main() -> int:
    """0 where every row came out once in flat memory; 1 where not; 2 where it could not run."""
    parser = argparse.ArgumentParser(prog="python -m ops.soak.loading", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help=f"how many rows (default: {ROWS:,})")
    rows, console = parser.parse_args().rows, Console(stderr=True)
    try:
        with alone(Place()) as place, console.status("Starting") as status:
            wishes = wishes_of(place)
            target = bring_up(wishes, apply_playbook, lambda text: status.update(f"{text} …"))
            outcome = _loaded(place, target, rows, status.update)
    except UserError as error:
        console.print(f"[red]The load stopped:[/red] {error}")
        return 2
    return concluded(outcome, _table(outcome), OUTPUT)


def _loaded(place: Place, target: Target, rows: int, say: Any) -> Outcome:
    """Drop the file, watch its load, and read what lies in the inbox then. `decide` is switched off: what it does with an
    event it does with any, and it would be what is measured."""
    _switch_off(target, "FunctionDecide")
    sqs, queue = target.client("sqs"), target.output("QueueLoadUrl")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(HIDDEN_SECONDS)})
    run_dir, began = Path(place.read_record()["run_dir"]), time.monotonic()
    _drop(target, rows)
    watch = _Watch(Stores(target), run_dir, rows)
    load = watch.until_loaded(say)
    seconds = time.monotonic() - began
    say("Reading the inbox")
    events, distinct = _in_the_inbox(target)
    return Outcome(
        rows=rows,
        taken=load.taken,
        rejected=load.rejected,
        distinct_events=distinct,
        events=events,
        workers_killed=watch.killed,
        early_bytes=watch.early_bytes,
        peak_bytes=watch.peak_bytes,
        seconds=round(seconds, 1),
    )


def _switch_off(target: Target, output: str) -> None:
    functions = target.client("lambda")
    name = target.output(output)
    for mapping in functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def _drop(target: Target, rows: int) -> None:
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8", suffix=".csv") as file:
        file.writelines(_lines(rows))
        file.flush()
        # In one part: of an upload in parts the embedded engine tells nobody.
        target.client("s3").put_object(
            Bucket=target.output("Bucket"), Key=KEY, Body=Path(file.name).read_bytes()
        )


def _lines(rows: int) -> Iterator[str]:
    yield HEADER
    at = format_instant(START)
    for number in range(rows):
        yield f"customer-{number // ROWS_A_CUSTOMER},purchase,{at},order-{number},4800\n"


class _Watch:
    """Looks at the load and at its workers twice a second, and kills a worker where it is time."""

    def __init__(self, stores: Stores, run_dir: Path, rows: int) -> None:
        self._loads, self._run_dir, self._rows = S3Loads(stores.objects), run_dir, rows
        self._kill_at = [share * rows for share in KILL_AT]
        self.killed = 0
        self.early_bytes = self.peak_bytes = 0

    def until_loaded(self, say: Any) -> Load:
        """The load at its end; UserError where it takes too long."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while time.monotonic() < deadline:
            load = next(iter(self._loads.all()), None)
            if load is not None:
                self._look(load)
                say(f"Loading: {load.rows:,} of {self._rows:,} rows, {self.peak_bytes / MEGABYTE:.0f} MB")
                if load.state != "loading":
                    return load
            time.sleep(LOOK_EVERY_SECONDS)
        raise UserError("the file is not loaded after half an hour; see the log of the load function")

    def _look(self, load: Load) -> None:
        workers = workers_of(self._run_dir, "load")
        largest = max(map(_resident_bytes, workers), default=0)
        self.peak_bytes = max(self.peak_bytes, largest)
        if load.rows <= self._rows / 10:
            self.early_bytes = max(self.early_bytes, largest)
        if self._kill_at and load.rows >= self._kill_at[0] and any(kill(worker) for worker in workers):
            self._kill_at.pop(0)
            self.killed += 1


def _resident_bytes(process: int) -> int:
    """VmRSS of a process (proc(5)); 0 where it has gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)


def _in_the_inbox(target: Target) -> tuple[int, int]:
    """How many events lie there, and how many by their ids; the queue is empty then."""
    sqs, url = target.client("sqs"), target.output("QueueInboxUrl")
    count, known = 0, set[str]()
    while True:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        messages = answer.get("Messages", [])
        if not messages:
            return count, len(known)
        for one in messages:
            received = decode_inbox(one["Body"])
            if isinstance(received, EventsReceived):
                count += len(received.events)
                known.update(event.event_id for event in received.events)
        entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(messages)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)


def _table(outcome: Outcome) -> Table:
    rows = {
        "rows": f"{outcome.rows:,}",
        "taken in": f"{outcome.taken:,} (rejected {outcome.rejected:,})",
        "events by their ids": f"{outcome.distinct_events:,} (with a killed worker's repeats {outcome.events:,})",
        "workers killed": f"{outcome.workers_killed:,}",
        "memory of a worker": f"{outcome.early_bytes / MEGABYTE:.0f} MB in the first tenth, {outcome.peak_bytes / MEGABYTE:.0f} at most",
        "wall seconds": f"{outcome.seconds:,.0f} ({outcome.rows / outcome.seconds:,.0f} rows a second, two deaths included)",
    }
    return table_of("A large file", rows)


if __name__ == "__main__":
    sys.exit(main())
