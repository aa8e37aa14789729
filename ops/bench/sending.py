"""A delivered message: what it takes after its intent, beside the bare push loop and the common design."""

import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from functions.domain.sends import Intent
from infra.bundle import ROOT
from ops.bench import world
from ops.bench.bill import Bill, Work, bill_of, billed_ms
from ops.bench.common_design import COUNTERS_TABLE, IDEMPOTENCY_TABLE
from ops.bench.composition import compose_decide
from ops.bench.counting import Counter, Counts
from ops.bench.measure import Measure
from ops.bench.sender import Design, Done, Order, Round
from ops.bench.servers import Servers
from ops.bench.world import World

BATCH: Final = 10
WARM, COUNTED_BATCHES, COUNTED_ALONE = 20, 5, 20
REPETITIONS, TIMED, TIMED_ALONE, FLOOR = 9, 100, 40, 200
DELAYED_BATCHES, DELAY_MS = 4, 100
SECONDS_MAX = 300
LANE: Final = "bulk"
"""Where a campaign's messages wait."""
STEPS: Final = 3
CPU_MS_MAX, WRITES_MAX, READS_MAX, QUEUE_MAX, QUEUE_ALONE_MAX, DOLLARS_MAX = 1.0, 2.6, 2.0, 0.4, 3.0, 2.5
Advance = Callable[[], None]


class Sent(msgspec.Struct, frozen=True):
    """What one message of a design takes, sent so many at a time. `cpu_ms`: median, lowest and highest repetition."""

    design: Design
    batch: int
    cpu_ms: tuple[float, float, float]
    line_waits: float
    dynamodb_calls: float
    work: Work
    bill: Bill
    log_lines: float
    counts: Counts


class Figures(msgspec.Struct, frozen=True):
    """All that was measured of sending. `floor_ms`: the bare push, in the same run."""

    floor_ms: tuple[float, float, float]
    full: Sent
    alone: Sent
    common: Sent


class Sending:
    """One world, and processes that send in it."""

    def __init__(self, servers: Servers, shop: World) -> None:
        self._servers = servers
        self.world = shop
        self._next = 1

    def figures(self, advance: Advance) -> Figures:
        """Counted first, then timed, then timed once more over a slow LINE, to see how often a batch waits for it."""
        counted = self.counted()
        advance()
        timed = self._timed()
        advance()
        waits = self._line_waits()
        advance()
        cpu = {key: _spread(_each(timed, *key)) for key in {(one.design, one.batch) for one in timed}}
        sent = {key: _sent(counted[key], self._queue_requests(key), cpu[key], waits[key]) for key in counted}
        return Figures(cpu["floor", 1], sent["musubi", BATCH], sent["musubi", 1], sent["common", 1])

    def counted(self, *, asks: bool = False) -> dict[tuple[Design, int], Done]:
        """The calls of full batches, of messages alone and of the common design, caches warm."""
        rounds = [
            self._round("musubi", BATCH, WARM, warm=True),
            self._round("musubi", BATCH, BATCH * COUNTED_BATCHES),
            self._round("musubi", 1, COUNTED_ALONE),
            self._round("common", 1, BATCH, warm=True),
            self._round("common", 1, COUNTED_ALONE),
        ]
        done = self._send(rounds, counted=True, asks=asks)
        return {(one.design, one.batch): one for one in done if not one.warm}

    def _timed(self) -> list[Done]:
        """By turns: what the machine does beside it falls on all alike."""
        rounds = [
            self._round("musubi", BATCH, WARM, warm=True),
            self._round("common", 1, BATCH, warm=True),
            self._floor(warm=True),
        ]
        for _ in range(REPETITIONS):
            rounds += [
                self._floor(),
                self._round("musubi", BATCH, TIMED),
                self._round("musubi", 1, TIMED_ALONE),
                self._round("common", 1, TIMED_ALONE),
            ]
        return [one for one in self._send(rounds) if not one.warm]

    def _line_waits(self) -> dict[tuple[Design, int], float]:
        """How many calls to LINE an invocation waits for one after the other: how long LINE is at work for it."""
        rounds = [self._round("musubi", BATCH, WARM, warm=True), self._round("common", 1, 2, warm=True)]
        keys: list[tuple[Design, int]] = [("musubi", BATCH), ("musubi", 1), ("common", 1)]
        rounds += [self._round(design, batch, batch * DELAYED_BATCHES) for design, batch in keys]
        self._servers.delay_line(DELAY_MS)
        done = self._send(rounds)
        self._servers.delay_line(0)
        return {
            (one.design, one.batch): one.line_seconds * 1000 / DELAY_MS * one.batch / one.messages
            for one in done
            if not one.warm
        }

    def _queue_requests(self, key: tuple[Design, int]) -> float:
        """SQS requests of a message on its way from the outbox to its end, as Lambda's poller makes them: counted."""
        design, batch = key
        flow, clients = compose_decide(self.world.environment(), world.NOW)
        counter = Counter()
        counter.watch(clients["sqs"])
        intents = self._intents(BATCH * 2)
        # The common design's producer fills its batches as well; alone, a message is put alone.
        together = BATCH if design == "common" else batch
        for start in range(0, len(intents), together):
            flow.send_queue.put(intents[start : start + together])
        taken = 0
        while taken < len(intents):
            taken += self._poll(clients["sqs"], batch)
        return counter.taken().total("charged", "sqs") / len(intents)

    def _poll(self, sqs: Any, batch: int) -> int:
        """What Lambda's poller does with a batch that succeeds: receive, and delete together."""
        url = self.world.queues[LANE]
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=batch).get("Messages", [])
        entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(found)]
        if not entries:
            raise RuntimeError(f"the queue {LANE} has not got what was put")
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        return len(found)

    def _floor(self, *, warm: bool = False) -> Round:
        body = '{"to":"U' + "0" * 32 + '","messages":[{"type":"text","text":"' + "あ" * 120 + '"}]}'
        return Round("floor", 1, [body] * FLOOR, warm)

    def _round(self, design: Design, batch: int, messages: int, *, warm: bool = False) -> Round:
        bodies = [msgspec.json.encode(intent).decode() for intent in self._intents(messages)]
        return Round(design, batch, bodies, warm)

    def _intents(self, count: int) -> list[Intent]:
        numbers = self.world.reachable(self._next, count)
        self._next = numbers[-1] + 1
        self.world.add_customers(numbers)
        return self.world.intents(numbers)

    def _send(self, rounds: Sequence[Round], *, counted: bool = False, asks: bool = False) -> list[Done]:
        """A process of its own does it. RuntimeError where it fails, or where LINE did not get every message."""
        order = Order(world.NOW, world.TOKEN, list(rounds), counted, asks)
        before = self._servers.pushes()
        done = subprocess.run(
            [sys.executable, "-m", "ops.bench.sender"], input=msgspec.json.encode(order), cwd=ROOT,
            env=dict(self.world.environment()), capture_output=True, check=False, timeout=SECONDS_MAX,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"the sending process failed:\n{done.stderr.decode()}")
        wanted, got = sum(len(one.bodies) for one in rounds), self._servers.pushes() - before
        if got != wanted:
            raise RuntimeError(f"{wanted} messages were to be sent, and LINE got {got}")
        return msgspec.json.decode(done.stdout, type=list[Done])


def prepared(servers: Servers) -> Sending:
    """A world with the tables that the common design has beside ours."""
    shop = world.build(servers)
    dynamodb: Any = shop.clients.client("dynamodb")
    for table, key in ((IDEMPOTENCY_TABLE, "id"), (COUNTERS_TABLE, "pk")):
        world.make_table(dynamodb, table, [key])
    return Sending(servers, shop)


def _each(timed: Sequence[Done], design: Design, batch: int) -> list[float]:
    """Milliseconds a message of each repetition."""
    return [
        1000 * one.cpu_seconds / one.messages for one in timed if (one.design, one.batch) == (design, batch)
    ]


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return statistics.median(values), min(values), max(values)


def _sent(
    counted: Done, queue_requests: float, cpu_ms: tuple[float, float, float], line_waits: float
) -> Sent:
    """One design's figures put together, a message."""
    counts, messages = counted.counts, counted.messages
    calls = counts.total("requests", "dynamodb") / messages
    invocation_ms = billed_ms(cpu_ms[0] * counted.batch, line_waits, calls * counted.batch)
    work = Work(
        write_units=counts.total("write_units") / messages,
        read_units=counts.total("read_units") / messages,
        sqs_requests=queue_requests + counts.total("charged", "sqs") / messages,
        invocations=1 / counted.batch,
        billed_ms=invocation_ms / counted.batch,
        log_bytes=counted.log_bytes / messages,
    )
    lines = counted.log_lines / messages
    return Sent(counted.design, counted.batch, cpu_ms, line_waits, calls, work, bill_of(work), lines, counts)


def rows(found: Figures) -> list[Measure]:
    """The budgets of a delivered message, in full batches and alone."""
    full, alone, common = found.full, found.alone, found.common
    name, other = "a delivered message", "the common design"

    def counted(what: str, unit: str, limit: float, field: str) -> Measure:
        told = f"{other}: {getattr(common.work, field):.3g}"
        return Measure(f"{name}: {what}", getattr(full.work, field), unit, limit, told)

    return [
        counted("writes", "write units", WRITES_MAX, "write_units"),
        counted("reads", "read units", READS_MAX, "read_units"),
        counted("queue, full batches", "SQS requests", QUEUE_MAX, "sqs_requests"),
        Measure(f"{name}: queue, alone", alone.work.sqs_requests, "SQS requests", QUEUE_ALONE_MAX, f"{other}: {common.work.sqs_requests:.3g}"),
        Measure(f"{name}: lines logged", full.log_lines, "lines", 0, f"{other}: {common.log_lines:.3g}, {common.work.log_bytes:.0f} bytes"),
        Measure(f"{name}: a million, full batches", full.bill.total, "$", DOLLARS_MAX, f"{other}: ${common.bill.total:.2f}"),
        Measure(f"{name}: a million, alone", alone.bill.total, "$", None, f"{other}: ${common.bill.total:.2f}"),
        _above_floor("full batches", full, found, CPU_MS_MAX),
        _above_floor("alone", alone, found, None),
    ]  # fmt: skip


def _above_floor(how: str, sent: Sent, found: Figures, limit: float | None) -> Measure:
    """Judged by the repetition that was disturbed least: what others do on the machine only ever adds."""
    floor, common = found.floor_ms, found.common.cpu_ms
    told = (
        f"here median {sent.cpu_ms[0]:.2f} ({sent.cpu_ms[1]:.2f}–{sent.cpu_ms[2]:.2f}) in all; bare push "
        f"{floor[0]:.2f} ({floor[1]:.2f}–{floor[2]:.2f}); the common design {common[0]:.2f} ({common[1]:.2f}–{common[2]:.2f})"
    )
    name = f"sender: CPU a message above the bare push, {how}"
    return Measure(name, sent.cpu_ms[1] - floor[1], "ms", limit, told)
