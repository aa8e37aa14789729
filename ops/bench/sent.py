"""What was measured of sending, put together a message, and held against its budgets."""

import statistics
from collections.abc import Sequence
from typing import Final

import msgspec

from functions.domain.batches import MULTICAST_MAX
from ops.bench.bill import Bill, Work, bill_of, billed_ms
from ops.bench.counting import Counts
from ops.bench.lanes import BATCH, PUSHES_SECOND, RECIPIENTS_SECOND, paced_ms
from ops.bench.measure import Measure
from ops.bench.sender import Design, Done
from ops.bench.world import HAD_LATELY

CPU_MS_MAX, WRITES_MAX, READS_MAX, QUEUE_MAX, QUEUE_ALONE_MAX, DOLLARS_MAX = 1.0, 2.6, 2.0, 0.4, 3.0, 2.5
REFRESHED_MS: Final = 5_000
"""How old a worker's caches grow (functions/aws/account.py, functions/aws/objects.py)."""
OFTEN: Final = 12
"""Messages within 30 days, which are more than a gate of one write unit holds."""
Spread = tuple[float, float, float]
"""Median, lowest, highest."""
PACED: Final[dict[tuple[Design, int], float]] = {
    ("musubi", BATCH): paced_ms(BATCH, PUSHES_SECOND),
    ("multicast", 1): paced_ms(MULTICAST_MAX, RECIPIENTS_SECOND),
}
"""Invocations of a campaign are no shorter than this: all workers are at work, and each keeps to its share."""


class Sent(msgspec.Struct, frozen=True):
    """What one message of a design takes, sent so many at a time. `line_waits`: calls to LINE that an invocation waits
    for in a row."""

    design: Design
    batch: int
    cpu_ms: Spread
    line_waits: float
    dynamodb_calls: float
    aws_bytes: float
    work: Work
    bill: Bill
    log_lines: float
    counts: Counts


class Refresh(msgspec.Struct, frozen=True):
    """What a worker reads anew every few seconds, whatever it sends: the account's state, the playbook in force."""

    read_units: float
    s3_gets: float


class Asides(msgspec.Struct, frozen=True):
    """`often`: write units of a message to somebody who had many lately; `refresh`: what no message alone takes."""

    often: float
    refresh: Refresh


class Figures(msgspec.Struct, frozen=True):
    """All that was measured of sending. `floor_ms`: the bare push, in the same run."""

    floor_ms: Spread
    full: Sent
    alone: Sent
    multicast: Sent
    common: Sent
    asides: Asides


def spread(values: Sequence[float]) -> Spread:
    """Of what was measured several times."""
    return statistics.median(values), min(values), max(values)


def refresh_of(stale: Counts, fresh: Counts) -> Refresh:
    """What a worker with old caches asked that one with new ones did not."""
    names = [name for name in stale.by_operation if name not in fresh.by_operation]
    added = Counts({name: stale.by_operation[name] for name in names})
    return Refresh(added.total("read_units"), added.total("requests", "s3"))


def _with_refresh(work: Work, design: Design, refresh: Refresh) -> Work:
    """What a worker reads anew, shared among the messages of so long; a message that comes alone bears all of it."""
    if design == "common":
        return work  # it keeps its playbook for as long as it lives
    sharing = 1 if work.invocations == 1 else REFRESHED_MS / work.billed_ms
    return msgspec.structs.replace(
        work,
        refresh_units=refresh.read_units / sharing,
        s3_gets=work.s3_gets + refresh.s3_gets / sharing,
    )


def sent_of(
    counted: Done, refresh: Refresh, queue_requests: float, cpu_ms: Spread, line_waits: float
) -> Sent:
    """One design's figures put together. `queue_requests`: of a message, on its way through the queue."""
    counts, messages = counted.counts, counted.messages
    each = messages / counted.invocations
    calls, puts = counts.total("requests", "dynamodb") / messages, counts.requests("s3.PutObject") / messages
    gets = counts.total("requests", "s3") / messages - puts
    invocation_ms = billed_ms(cpu_ms[0] * each, line_waits, calls * each, (puts + gets) * each)
    work = Work(
        write_units=counts.total("write_units") / messages,
        read_units=counts.total("read_units") / messages,
        sqs_requests=queue_requests + counts.total("charged", "sqs") / messages,
        invocations=1 / each,
        billed_ms=max(invocation_ms, PACED.get((counted.design, counted.batch), 0.0)) / each,
        log_bytes=counted.log_bytes / messages,
        s3_puts=puts,
        s3_gets=gets,
    )
    work = _with_refresh(work, counted.design, refresh)
    return Sent(
        design=counted.design,
        batch=counted.batch,
        cpu_ms=cpu_ms,
        line_waits=line_waits,
        dynamodb_calls=calls,
        aws_bytes=(counts.total("request_bytes") + counts.total("response_bytes")) / messages,
        work=work,
        bill=bill_of(work),
        log_lines=counted.log_lines / messages,
        counts=counts,
    )


def rows(found: Figures) -> list[Measure]:
    """The budgets of a delivered message, in full batches and alone."""
    full, alone, common = found.full, found.alone, found.common
    name, other = "a delivered message", "the common design"

    def counted(what: str, unit: str, limit: float, field: str) -> Measure:
        told = f"{other}: {getattr(common.work, field):.3g}"
        return Measure(f"{name}: {what}", getattr(full.work, field), unit, limit, told)

    return [
        counted("writes", "write units", WRITES_MAX, "write_units"),
        Measure(f"{name}: writes, to who had {OFTEN} lately", found.asides.often, "write units", WRITES_MAX, f"to who had {HAD_LATELY}: {full.work.write_units:.3g}"),
        counted("reads", "read units", READS_MAX, "read_units"),
        Measure(f"{name}: requests to DynamoDB", full.dynamodb_calls, "requests", None, f"{other}: {common.dynamodb_calls:.3g}"),
        Measure(f"{name}: bytes to and from AWS", full.aws_bytes, "bytes", None, f"{other}: {common.aws_bytes:,.0f}"),
        counted("queue, full batches", "SQS requests", QUEUE_MAX, "sqs_requests"),
        Measure(f"{name}: queue, alone", alone.work.sqs_requests, "SQS requests", QUEUE_ALONE_MAX, f"{other}: {common.work.sqs_requests:.3g}"),
        Measure(f"{name}: lines logged", full.log_lines, "lines", 0, f"{other}: {common.log_lines:.3g}, {common.work.log_bytes:.0f} bytes"),
        Measure(f"{name}: a million, full batches", full.bill.total, "$", DOLLARS_MAX, f"{other}: ${common.bill.total:.2f}"),
        Measure(f"{name}: a million, alone", alone.bill.total, "$", None, f"{other}: ${common.bill.total:.2f}"),
        _above_floor("full batches", full, found, CPU_MS_MAX),
        _above_floor("alone", alone, found, None),
        *_multicast_rows(found),
    ]  # fmt: skip


def _multicast_rows(found: Figures) -> list[Measure]:
    """The same budgets for people who are told the same in one call, a recipient."""
    name, many, full = f"a recipient of a multicast of {MULTICAST_MAX}", found.multicast, found.full
    pushed = (
        f"pushed in full batches: {full.work.write_units:.3g} write and {full.work.read_units:.3g} read units"
    )
    cpu = f"median {many.cpu_ms[0]:.2f} ({many.cpu_ms[1]:.2f}–{many.cpu_ms[2]:.2f}); pushed: {full.cpu_ms[1]:.2f}"
    return [
        Measure(f"{name}: writes", many.work.write_units, "write units", WRITES_MAX, pushed),
        Measure(f"{name}: reads", many.work.read_units, "read units", READS_MAX, pushed),
        Measure(f"{name}: lines logged", many.log_lines, "lines", 0, f"pushed: {full.log_lines:.3g}"),
        Measure(f"{name}: CPU, all of it", many.cpu_ms[1], "ms", CPU_MS_MAX, cpu),
        Measure(f"{name}: a million", many.bill.total, "$", DOLLARS_MAX, f"pushed: ${full.bill.total:.2f}"),
    ]


def _above_floor(how: str, sent: Sent, found: Figures, limit: float | None) -> Measure:
    """Judged by the repetition that was disturbed least: what others do on the machine only ever adds."""
    floor, common = found.floor_ms, found.common.cpu_ms
    told = (
        f"here median {sent.cpu_ms[0]:.2f} ({sent.cpu_ms[1]:.2f}–{sent.cpu_ms[2]:.2f}) in all; bare push "
        f"{floor[0]:.2f} ({floor[1]:.2f}–{floor[2]:.2f}); the common design {common[0]:.2f} ({common[1]:.2f}–{common[2]:.2f})"
    )
    name = f"sender: CPU a message above the bare push, {how}"
    return Measure(name, sent.cpu_ms[1] - floor[1], "ms", limit, told)
