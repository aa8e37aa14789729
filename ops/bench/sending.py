"""A delivered message: what it takes after its intent, beside the bare push loop and the common design."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from functions.domain.batches import MULTICAST_MAX
from functions.domain.sends import Intent
from infra.bundle import ROOT
from ops.bench import world
from ops.bench.common_design import COUNTERS_TABLE, IDEMPOTENCY_TABLE
from ops.bench.composition import compose_decide
from ops.bench.counting import Counter
from ops.bench.lanes import BATCH
from ops.bench.sender import Design, Done, Order, Round
from ops.bench.sent import OFTEN, Asides, Figures, refresh_of, sent_of, spread
from ops.bench.servers import Servers
from ops.bench.world import HAD_LATELY, World

WARM, COUNTED_BATCHES, COUNTED_ALONE = 20, 5, 20
REPETITIONS, TIMED, TIMED_ALONE, FLOOR = 9, 100, 40, 200
DELAYED_BATCHES, DELAY_MS = 4, 100
SECONDS_MAX = 300
LANE: Final = "bulk"
"""Where a campaign's messages wait."""
STEPS: Final = 3
Advance = Callable[[], None]
Key = tuple[Design, int]


class Sending:
    """One world, and processes that send in it."""

    def __init__(self, servers: Servers, shop: World) -> None:
        self._servers = servers
        self.world = shop
        self._next = 1

    def figures(self, advance: Advance) -> Figures:
        """Counted first, then timed, then timed once more over a slow LINE, to see how often a batch waits for it."""
        counted, asides = self.counted(), self._asides()
        advance()
        timed = self._timed()
        advance()
        waits = self._line_waits()
        advance()
        cpu = {key: spread(_each(timed, key)) for key in {_key(one) for one in timed}}
        sent = {
            key: sent_of(
                one,
                asides.refresh,
                self._queue_requests(key) / (one.messages / one.invocations / one.batch),
                cpu[key],
                waits[key],
            )
            for key, one in counted.items()
        }
        return Figures(
            floor_ms=cpu["floor", 1],
            full=sent["musubi", BATCH],
            alone=sent["musubi", 1],
            multicast=sent["multicast", 1],
            common=sent["common", 1],
            asides=asides,
        )

    def _asides(self) -> Asides:
        """A message to somebody who had many lately, and what a worker reads anew once its caches are old: counted."""
        rounds = [
            self._round("musubi", BATCH, BATCH, warm=True),
            self._round("musubi", BATCH, BATCH * 2, had_lately=OFTEN),
            msgspec.structs.replace(self._round("musubi", BATCH, BATCH), stale=True),
        ]
        _, often, stale = self._send(rounds, counted=True)
        return Asides(
            often.counts.total("write_units") / often.messages, refresh_of(stale.counts, often.counts)
        )

    def counted(self, *, asks: bool = False) -> dict[Key, Done]:
        """The calls of full batches, of messages alone, of a multicast and of the common design, caches warm."""
        rounds = [
            self._round("musubi", BATCH, WARM, warm=True),
            self._round("musubi", BATCH, BATCH * COUNTED_BATCHES),
            self._round("musubi", 1, COUNTED_ALONE),
            self._multicast(),
            self._round("common", 1, BATCH, warm=True),
            self._round("common", 1, COUNTED_ALONE),
        ]
        done = self._send(rounds, counted=True, asks=asks)
        return {_key(one): one for one in done if not one.warm}

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
                self._multicast(),
                self._round("common", 1, TIMED_ALONE),
            ]
        return [one for one in self._send(rounds) if not one.warm]

    def _line_waits(self) -> dict[Key, float]:
        """How many calls to LINE an invocation waits for one after the other: how long LINE is at work for it."""
        rounds = [self._round("musubi", BATCH, WARM, warm=True), self._round("common", 1, 2, warm=True)]
        keys: list[Key] = [("musubi", BATCH), ("musubi", 1), ("common", 1)]
        rounds += [self._round(design, batch, batch * DELAYED_BATCHES) for design, batch in keys]
        rounds.append(self._multicast())
        self._servers.delay_line(DELAY_MS)
        done = self._send(rounds)
        self._servers.delay_line(0)
        return {
            _key(one): one.line_seconds * 1000 / DELAY_MS / one.invocations for one in done if not one.warm
        }

    def _queue_requests(self, key: Key) -> float:
        """SQS requests of an order on its way from the outbox to its end, as Lambda's poller makes them: counted."""
        design, batch = key
        orders: list[Any] = self._intents(BATCH * 2)
        if design == "multicast":
            # A campaign's orders fill their batches, too.
            batch, one = BATCH, self.world.batch_order(self._people())
            orders = [
                msgspec.structs.replace(one, send_id=f"{one.send_id}-{number}") for number in range(BATCH * 2)
            ]
        flow, clients = compose_decide(self.world.environment(), world.NOW)
        counter = Counter()
        counter.watch(clients["sqs"])
        # The common design's producer fills its batches as well; alone, a message is put alone.
        together = BATCH if design == "common" else batch
        for start in range(0, len(orders), together):
            flow.decide.send_queue.put(orders[start : start + together])
        taken = 0
        while taken < len(orders):
            taken += self._poll(clients["sqs"], batch)
        return counter.taken().total("charged", "sqs") / len(orders)

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

    def _round(
        self, design: Design, batch: int, messages: int, *, warm: bool = False, had_lately: int = HAD_LATELY
    ) -> Round:
        intents = self._intents(messages, had_lately)
        bodies = [msgspec.json.encode(intent).decode() for intent in intents]
        return Round(design, batch, bodies, warm)

    def _multicast(self) -> Round:
        """One order for as many people as LINE takes at once."""
        order = self.world.batch_order(self._people())
        return Round("multicast", 1, [msgspec.json.encode(order).decode()], people=MULTICAST_MAX)

    def _people(self) -> list[int]:
        numbers = self.world.reachable(self._next, MULTICAST_MAX)
        self._next = numbers[-1] + 1
        self.world.add_customers(numbers)
        return numbers

    def _intents(self, count: int, had_lately: int = HAD_LATELY) -> list[Intent]:
        numbers = self.world.reachable(self._next, count)
        self._next = numbers[-1] + 1
        self.world.add_customers(numbers, had_lately)
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


def _key(one: Done) -> Key:
    return one.design, one.batch


def _each(timed: Sequence[Done], key: Key) -> list[float]:
    """Milliseconds a message of each repetition."""
    return [1000 * one.cpu_seconds / one.messages for one in timed if _key(one) == key]
