"""Facts from streams: rows dropped by table, and nothing that holds a shard up."""

import datetime as dt
import json
from collections.abc import Iterator, Sequence

import msgspec
import pytest

from functions.aws.history import BASE
from functions.aws.streams import RESTORED, StreamedTables, writes_in
from functions.domain.compiled import Compiled
from functions.domain.events import Event
from functions.domain.fact_rows import EventKept, SendWritten
from functions.domain.facts import Fact
from functions.domain.lake import Table
from functions.domain.live import TOLD_FOR, Told
from functions.domain.sends import SendRecord
from functions.facts.flow import LEFT_OUT, LIVE_LEFT_OUT, Live, RecordFacts
from functions.ports.errors import Rejected, Retryable
from functions.ports.facts import Unreadable
from tests.domain.strategies import compiled

NOW = dt.datetime(2026, 11, 2, 3, 4, 5, tzinfo=dt.UTC)
TABLES = StreamedTables("Sends", "Events", "Customers")


class Raw:
    def __init__(self, *, down: bool = False) -> None:
        self.dropped: list[tuple[str, int]] = []
        self.down = down

    def drop(self, table: Table, rows: Sequence[Fact]) -> None:
        if self.down:
            raise Retryable("the bucket is throttled")
        self.dropped.append((table.name, len(rows)))


class Counted(dict[str, int]):
    def count(self, name: str, number: int) -> None:
        self[name] = number


def kept(name: str, number: int) -> EventKept:
    return EventKept("C1", Event(f"e{number}", "C1", name, NOW), NOW)


def record(table: str, image: object, *, kind: str = "INSERT") -> dict[str, object]:
    return {
        "eventName": kind,
        "eventSourceARN": f"arn:aws:dynamodb:ap-northeast-1:1:table/{table}/stream/2026",
        "dynamodb": {"NewImage": image, "ApproximateCreationDateTime": NOW.timestamp()},
    }


class NoPlaybook:
    """For what needs none."""

    def in_force(self) -> Compiled:
        raise AssertionError

    def version(self, version: str) -> Compiled:
        raise Rejected(f"no playbook {version}")


class Bus:
    """A live bus that takes in `takes` events and then is gone; `refuses` of each telling for good."""

    def __init__(self, *, takes: int = 1_000, refuses: int = 0) -> None:
        self.takes = takes
        self.refuses = refuses
        self.told: list[str] = []

    def tell(self, told: Sequence[Told]) -> int:
        self.told += [json.loads(one.detail)["id"] for one in told[: self.takes]]
        if len(told) > self.takes:
            raise Retryable("some were not taken in")
        return self.refuses


def flow(raw: Raw, counted: Counted, bus: Bus | None = None, now: dt.datetime = NOW) -> RecordFacts:
    return RecordFacts(NoPlaybook(), raw, counted, Live(bus, "shop", lambda: now) if bus else None)


def test_rows_are_dropped_by_table_at_once() -> None:
    raw, counted = Raw(), Counted()
    assert flow(raw, counted).run([kept("purchase", 1), kept("line_follow", 2), kept("purchase", 3)]) == 3
    assert sorted(raw.dropped) == [("events", 2), ("friendships", 1)]
    assert counted == {}


class AnyPlaybook:
    """A playbook whatever is asked for."""

    def in_force(self) -> Compiled:
        return compiled()

    def version(self, version: str) -> Compiled:
        return compiled()


def test_how_messages_ended_is_counted_once_a_batch() -> None:
    raw, counted = Raw(), Counted()
    ends = ["sent", "sent", "suppressed", "unknown", "failed"]
    records = [
        SendRecord(f"s{number}", "C1", "U1", end, NOW, NOW, "promotion", "m", "h", "v", "s")  # type: ignore[arg-type]
        for number, end in enumerate(ends)
    ]
    RecordFacts(AnyPlaybook(), raw, counted).run([SendWritten(one, NOW) for one in records])
    assert counted == {"SendsSent": 2, "SendsSuppressed": 1, "SendsUnknown": 1, "SendsFailed": 1}


def test_what_no_fact_follows_from_is_counted_and_the_rest_goes_on() -> None:
    """A send whose playbook is gone, and a row that cannot be read, stand before nothing else."""
    raw, counted = Raw(), Counted()
    lost = SendWritten(SendRecord("s", "C1", "U1", "sent", NOW, NOW, "promotion", "m", "h", "gone", "s"), NOW)
    assert flow(raw, counted).run([lost, Unreadable("sends", "ValueError"), kept("purchase", 1)]) == 1
    assert counted == {LEFT_OUT: 2}


def test_a_bucket_that_takes_nothing_lets_the_batch_come_again() -> None:
    with pytest.raises(Retryable):
        flow(Raw(down=True), Counted()).run([kept("purchase", 1)])


def test_a_stream_is_read_by_table_and_what_is_gone_or_has_no_body_is_passed_over() -> None:
    body = {"pk": {"S": "C1"}, "body": {"S": msgspec.json.encode(kept("purchase", 1).event).decode()}}
    records = [
        record("Events", body),
        record("Events", body, kind="REMOVE"),
        record("Events", {"pk": {"S": "C1"}, "sk": {"S": BASE}, "base": {"S": "{}"}}),
        record("Events", {"pk": {"S": "C1"}, "sk": {"S": BASE}, "base": {"S": "{}"}}, kind="MODIFY"),
        record("Customers", {"pk": {"S": "counter"}}),
        record("Sends", {"pk": {"S": "C1"}, "body": {"S": "{"}}),
        record("Elsewhere", body),
    ]
    told = list(writes_in({"Records": records}, TABLES))
    assert [type(one).__name__ for one in told] == ["EventKept", "Unreadable"]
    assert isinstance(told[0], EventKept)
    assert (told[0].customer_id, told[0].told_at) == ("C1", NOW)


def test_a_row_that_was_put_back_tells_nothing_and_what_changes_in_it_later_does() -> None:
    body = {"pk": {"S": "C1"}, "body": {"S": msgspec.json.encode(kept("purchase", 1).event).decode()}}
    back = {**body, RESTORED: {"S": "a restore"}}
    told = [
        len(list(writes_in({"Records": [record("Events", row, kind=kind)]}, TABLES)))
        for row, kind in ((back, "INSERT"), (back, "MODIFY"), (body, "INSERT"))
    ]
    assert told == [0, 1, 1]


def test_a_write_is_let_go_once_its_rows_are_made() -> None:
    """A worker's memory is that of its batch's bytes, and not of every customer in it, decoded twice, besides."""
    gone: list[str] = []

    class Write(EventKept):
        def __del__(self) -> None:
            gone.append(self.customer_id)

    def one_by_one() -> Iterator[EventKept]:
        for number in range(50):
            assert len(gone) >= number - 1
            yield Write(*kept("purchase", number))

    assert flow(Raw(), Counted()).run(one_by_one()) >= 50


def test_a_batch_is_read_a_write_at_a_time() -> None:
    body = {"pk": {"S": "C1"}, "body": {"S": msgspec.json.encode(kept("purchase", 1).event).decode()}}
    records = [record("Events", body), "never looked at"]
    assert isinstance(next(writes_in({"Records": records}, TABLES)), EventKept)


FOLLOWS = [kept("line_follow", number) for number in range(3)]


def test_what_others_follow_is_told_live_once_the_lake_has_it() -> None:
    raw, counted, bus = Raw(), Counted(), Bus()
    assert flow(raw, counted, bus).run([*FOLLOWS, kept("purchase", 4)]) == 4
    assert len(set(bus.told)) == 3
    assert counted == {}
    unheard = Bus()
    with pytest.raises(Retryable):
        flow(Raw(down=True), counted, unheard).run(FOLLOWS)
    assert unheard.told == []


def test_a_bus_that_takes_some_in_lets_the_batch_come_again_and_doubles_bear_their_ids() -> None:
    """As after a crash between the lake and the bus, or after the bus and before the stream is told."""
    raw, counted, bus = Raw(), Counted(), Bus(takes=2)
    with pytest.raises(Retryable):
        flow(raw, counted, bus).run(FOLLOWS)
    bus.takes = 3
    flow(raw, counted, bus).run(FOLLOWS)
    assert raw.dropped == [("friendships", 3)] * 2
    assert len(bus.told) == 5
    assert len(set(bus.told)) == 3


def test_what_the_bus_never_takes_holds_the_lake_up_no_longer_than_an_hour() -> None:
    raw, counted, bus = Raw(), Counted(), Bus(takes=0)
    late = NOW + TOLD_FOR + dt.timedelta(seconds=1)
    assert flow(raw, counted, bus, late).run(FOLLOWS) == 3
    assert counted == {LIVE_LEFT_OUT: 3}
    refusing = Counted()
    flow(Raw(), refusing, Bus(refuses=2)).run(FOLLOWS)
    assert refusing == {LIVE_LEFT_OUT: 2}
