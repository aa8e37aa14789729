"""Files in: every row counts once, whatever crashes; what cannot be taken in is told by row and column, and kept."""

import contextlib
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from functions.aws.queues import decode_load
from functions.domain.instants import DAY, format_instant
from functions.domain.loads import Load, load_id_of
from functions.domain.playbook import Expect, Source
from functions.load.flow import LoadFiles
from functions.parquet import Arrow
from functions.ports.errors import Retryable
from functions.ports.messages import FileDropped, LoadOrder
from tests.fakes.crashes import crash_everywhere
from tests.fakes.loads import FakeFile, FakeLoadContinuation, FakeLoads, FakeSnapshots
from tests.fakes.playbooks import playbook
from tests.fakes.queues import FakeInbox, FakeQueue
from tests.fakes.taps import Crash, tapped
from tests.fakes.world import World

KEY = "incoming/shop/orders_2026-11-01.csv"
WINDOW = 3


class Loading(World):
    """A world with files. A load that crashes is tried again, as its message comes again."""

    def __init__(self) -> None:
        super().__init__(playbook())
        self.loads = FakeLoads()
        self.snapshots = FakeSnapshots()
        self.load_queue = FakeQueue(self.clock)
        self.opened: dict[tuple[str, str], bytes] = {}
        self.time_left: Callable[[], float] = lambda: 900.0
        tap = self.tap
        self.loading = LoadFiles(
            self.playbooks,
            tapped(self.loads, tap, "loads"),
            lambda load: FakeFile(self.opened[load.key, load.version]),
            Arrow(),
            tapped(FakeInbox(self.inbox_queue), tap, "inbox"),
            tapped(self.rejected, tap, "rejected"),
            tapped(self.account_state, tap, "account_state"),
            tapped(FakeLoadContinuation(self.load_queue), tap, "continuation"),
            tapped(self.snapshots, tap, "snapshots"),
            self.clock,
            window_rows=WINDOW,
        )

    def drop(self, body: bytes, key: str = KEY, version: str = "v1") -> Load:
        """A file comes; the load at its end."""
        self.opened[key, version] = body
        told = {"s3": {"object": {"key": key, "versionId": version, "size": len(body), "eTag": "x"}}}
        self.load_queue.put([json.dumps({"Records": [told]})])
        for _ in range(1000):
            if not self._receive(self.load_queue, self._load):
                break
        else:
            raise AssertionError("the load never ends")
        found = self.loads.find(load_id_of(key, version))
        assert found is not None
        self.run()
        return found[0]

    def _load(self, body: str) -> None:
        for told in decode_load(body):
            if isinstance(told, LoadOrder):
                self.loading.run(told, self.time_left)
            else:
                assert isinstance(told, FileDropped)
                self.loading.begin(told, self.time_left)

    def orders(self, customer_id: str) -> tuple[int, float]:
        customer = self.customers.load(customer_id)
        tally = customer.profile.tallies.get("orders") if customer else None
        return (tally.count, tally.sums.get("amount", 0) / 1_000_000) if tally else (0, 0.0)


HEADER = "event_id,customer_id,name,occurred_at,order_id,amount"


def line(number: int, customer: str = "", event_id: str = "", **more: str) -> str:
    cells = {"customer": customer or f"c{number % 4}", "at": "2026-11-01T03:00:00Z", "amount": "100"} | more
    return f"{event_id},{cells['customer']},purchase,{cells['at']},o{number},{cells['amount']}"


def csv_of(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join((header, *lines, "")).encode()


def test_every_row_is_folded_once_and_reported() -> None:
    world = Loading()
    load = world.drop(csv_of(*(line(n) for n in range(10))))
    assert [world.orders(f"c{n}") for n in range(4)] == [(3, 300), (3, 300), (2, 200), (2, 200)]
    assert (load.state, load.rows, load.taken, load.rejected) == ("loaded", 10, 10, 0)
    assert (load.ended_at, world.loads.finished[KEY]) == (world.now, load)


def test_rows_without_ids_of_their_own_differ_though_they_look_alike() -> None:
    world = Loading()
    world.drop(csv_of(line(1, "c1"), line(1, "c1")))
    assert world.orders("c1") == (2, 200)


def test_a_crash_anywhere_changes_nothing() -> None:
    def act(world: World) -> None:
        assert isinstance(world, Loading)
        world.drop(csv_of(*(line(n) for n in range(8)), line(9, amount="many")))

    def check(world: World) -> None:
        assert isinstance(world, Loading)
        (load,) = world.loads.all()
        assert (load.rows, load.taken, load.rejected, load.state) == (9, 8, 1, "loaded")
        assert [world.orders(f"c{n}") for n in range(4)] == [(2, 200)] * 4
        assert [one.row for one in world.loads.errors(load)] == [10]
        assert {(one["index"], one["column"]) for one in world.rejected.kept} == {(10, "amount")}

    assert crash_everywhere(Loading, act, check) > 20


def test_a_load_hands_over_where_its_time_ends_and_reads_on_from_its_place() -> None:
    world = Loading()
    turns = iter(range(10_000))
    world.time_left = lambda: 1.0 if next(turns) % 2 else 900.0
    load = world.drop(csv_of(*(line(n) for n in range(10))))
    assert (load.taken, world.orders("c0")) == (10, (3, 300))
    assert world.load_queue.total > 3


def test_the_same_content_dropped_again_is_recognised_and_counts_once() -> None:
    world, body = Loading(), csv_of(line(1, "c1"))
    first = world.drop(body)
    again = world.drop(body, "incoming/shop/other_2026-11-02.csv", "v7")
    assert (again.state, again.same_as, again.rows) == ("same", first.load_id, 0)
    assert world.orders("c1") == (1, 100)


def test_the_same_content_of_another_source_is_not_the_same() -> None:
    world, body = Loading(), csv_of(line(1, "c1"))
    world.drop(body)
    assert world.drop(body, "incoming/store/orders.csv", "v7").state == "loaded"


def test_two_workers_on_one_file_take_it_in_once() -> None:
    world = Loading()
    body = csv_of(*(line(n) for n in range(8)))
    deed_done = []

    def meanwhile() -> None:
        deed_done.append(True)
        order = LoadOrder(load_id_of(KEY, "v1"))
        world.loading.run(order, lambda: 900.0)

    world.tap.once(17, meanwhile)
    world.drop(body)
    assert deed_done
    assert [world.orders(f"c{n}") for n in range(4)] == [(2, 200)] * 4
    (load,) = world.loads.all()
    assert (load.taken, load.state) == (8, "loaded")


def test_whoever_loses_a_race_does_not_let_go_of_a_file_whose_other_worker_then_dies() -> None:
    """The queue may give one message to two: to answer it is to delete it for both."""
    world = Loading()
    windows = iter((900.0, 900.0, 900.0))

    def until_it_dies() -> float:
        left = next(windows, None)
        if left is None:
            raise Crash("killed in mid-file")
        return left

    def meanwhile() -> None:
        with contextlib.suppress(Crash):
            world.loading.run(LoadOrder(load_id_of(KEY, "v1")), until_it_dies)

    world.tap.once(17, meanwhile)
    load = world.drop(csv_of(*(line(n) for n in range(20))))
    assert next(windows, None) is None, "the other worker did not get far enough to prove anything"
    assert (load.taken, load.state) == (20, "loaded")
    assert sum(world.orders(f"c{n}")[0] for n in range(4)) == 20


@pytest.mark.parametrize(
    ("bad", "column", "code"),
    [
        (line(1, amount="many"), "amount", "wrong_type"),
        (line(1, at="yesterday"), "occurred_at", "malformed"),
        (line(1).replace("purchase", "bought"), "name", "unknown_event"),
        (line(1, "anon:U1"), "customer_id", "malformed"),
        (line(1) + ",more", "", "malformed"),
        ('a,"never closed', "", "malformed"),
    ],
)
def test_a_bad_row_is_told_by_row_and_column_and_costs_no_other(bad: str, column: str, code: str) -> None:
    world = Loading()
    load = world.drop(csv_of(line(0, "c0"), bad, line(2, "c2")))
    (told,) = world.loads.errors(load)
    assert (told.row, told.column, told.code) == (3, column, code)
    assert (load.taken, load.rejected, load.causes) == (2, 1, {code: 1})
    assert world.orders("c0") == world.orders("c2") == (1, 100)
    (kept,) = world.rejected.kept
    assert (kept["code"], kept["key"]) == (code, KEY)


def test_quotes_hold_commas_and_lines_together() -> None:
    world = Loading()
    world.drop(csv_of('e1,c1,purchase,2026-11-01T03:00:00Z,"a, ""b""\nc",100', line(2, "c2")))
    (first, *_) = world.events.all_of("c1")
    assert first.properties["order_id"] == 'a, "b"\nc'
    assert world.orders("c2") == (1, 100)


def test_a_file_of_windows_is_read_as_one_of_unix() -> None:
    world = Loading()
    body = b"\xef\xbb\xbf" + csv_of(line(1, "c1"), line(2, "c2")).replace(b"\n", b"\r\n")
    assert world.drop(body).taken == 2
    assert world.orders("c1") == (1, 100)


@pytest.mark.parametrize(
    ("key", "body", "told"),
    [
        ("incoming/shop/a.xlsx", b"PK", "must end in .csv"),
        ("incoming/a.csv", csv_of(line(1)), "under incoming/<source>/"),
        ("incoming/shop/a.csv", b"", "is empty"),
        ("incoming/shop/a.csv", b"customer_id,name\n", "occurred_at is missing"),
        ("incoming/shop/a.csv", b"a,a\n", "there twice"),
        ("incoming/shop/a.csv", "顧客\n".encode("cp932"), "not UTF-8"),
        ("incoming/shop/a.csv.gz", b"no gzip at all", "no gzip"),
        ("incoming/shop/a.csv.gz", gzip.compress(csv_of(*(line(n) for n in range(9))))[:-30], "end is missing"),
        ("incoming/shop/a.parquet", b"no parquet", "no Parquet"),
        ("incoming/shop/snapshot/a.csv", b"customer_id,rank\nc1,gold\n", "which day"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_with_how_to_mend_it(key: str, body: bytes, told: str) -> None:
    load = Loading().drop(body, key)
    assert load.state == "refused"
    assert told in load.refused
    assert load.watermark is None


def jsonl(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def test_json_lines_carry_status_and_ids_of_their_own() -> None:
    world = Loading()
    event = world.purchase("c1", event_id="e1", status="provisional")
    body = (
        jsonl(event, {**event, "status": "confirmed"}, {**event, "status": "confirmed"}) + b"\n{broken\n5\n"
    )
    load = world.drop(body, "incoming/shop/orders.jsonl")
    assert world.orders("c1") == (1, 1000)
    assert (load.taken, load.rejected) == (3, 2)
    assert [one.row for one in world.loads.errors(load)] == [5, 6]


def test_packed_files_are_read_like_others_wherever_they_are_cut() -> None:
    world = Loading()
    turns = iter(range(10_000))
    world.time_left = lambda: 1.0 if next(turns) % 2 else 900.0
    halves = [csv_of(*(line(n) for n in range(5))), "\n".join(line(n) for n in range(5, 10)).encode()]
    body = b"".join(gzip.compress(half) for half in halves)
    assert world.drop(body, "incoming/shop/orders.csv.gz").taken == 10
    assert world.orders("c0") == (3, 300)


def parquet(rows: list[dict[str, Any]], group: int = 4) -> bytes:
    into = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), into, row_group_size=group, compression="zstd")
    return into.getvalue()


def test_parquet_is_read_by_row_group_wherever_it_is_cut() -> None:
    world = Loading()
    turns = iter(range(10_000))
    world.time_left = lambda: 1.0 if next(turns) % 2 else 900.0
    rows = [
        {
            "customer_id": f"c{n % 4}",
            "name": "purchase",
            "occurred_at": world.now,
            "order_id": f"o{n}",
            "amount": 100,
        }
        for n in range(11)
    ]
    load = world.drop(parquet(rows), "incoming/shop/orders.parquet")
    assert (load.rows, load.taken, load.newest) == (11, 11, world.now)
    assert [world.orders(f"c{n}") for n in range(4)] == [(3, 300), (3, 300), (3, 300), (2, 200)]


def orders_as_parquet(count: int) -> bytes:
    return parquet(
        [
            {
                "customer_id": f"c{n % 4}",
                "name": "purchase",
                "occurred_at": "2026-11-01T03:00:00Z",
                "order_id": f"o{n}",
                "amount": 100,
            }
            for n in range(count)
        ]
    )


def test_parquet_that_is_broken_further_on_is_refused_with_what_was_read_before() -> None:
    world, body = Loading(), bytearray(orders_as_parquet(12))
    third = pq.ParquetFile(io.BytesIO(bytes(body))).metadata.row_group(2).column(0)
    start = third.dictionary_page_offset or third.data_page_offset
    body[start : start + 12] = bytes(255 - byte for byte in body[start : start + 12])
    load = world.drop(bytes(body), "incoming/shop/orders.parquet")
    assert (load.state, load.taken) == ("refused", 6)
    assert "broken" in load.refused
    assert "The first 6 rows were read and 6 of them taken in" in load.refused


def test_parquet_that_cannot_be_read_just_now_is_not_taken_for_broken() -> None:
    class Unplugged(FakeFile):
        def read(self, start: int, length: int) -> bytes:
            raise ConnectionResetError("the line is dead")

    with pytest.raises(Retryable):
        Arrow().columns(Unplugged(orders_as_parquet(2)))


def test_history_starts_no_journey_and_says_so() -> None:
    world = Loading()
    world.drop(csv_of(line(1, "c1")), "incoming/shop/history/orders.csv")
    (event,) = world.events.all_of("c1")
    assert event.imported


def test_a_folder_is_no_file() -> None:
    world = Loading()
    world.loading.begin(FileDropped("incoming/shop/", "v1", 0), lambda: 900.0)
    assert world.loads.all() == []


def test_a_snapshot_sets_attributes_as_of_its_day_and_takes_back_what_is_empty() -> None:
    world = Loading()
    body = b"customer_id,rank,score,tel\nc1,gold,0.5,090\nc2,,7,\n"
    load = world.drop(body, "incoming/crm/snapshot/people_2026-11-01.csv")
    profile = world.customer("c1").profile
    assert [profile.attribute(name) for name in ("rank", "score", "tel")] == ["gold", 0.5, "090"]
    assert format_instant(profile.attributes["rank"].at) == "2026-10-31T15:00:00Z"
    assert (world.customer("c2").profile.attributes["rank"].value, load.watermark) == (
        None,
        profile.attributes["rank"].at,
    )
    world.drop(b"customer_id,rank\nc1,\n", "incoming/crm/partial/few_2026-11-02.csv")
    assert world.customer("c1").profile.attribute("rank") == "gold"


def people(*lines: str, header: str = "customer_id,rank,score") -> bytes:
    return "\n".join((header, *lines, "")).encode()


def snapshot_key(day: int, kind: str = "snapshot") -> str:
    return f"incoming/crm/{kind}/people_2026-11-{day:02}.csv"


def rank(world: Loading, customer: str) -> object:
    return world.customer(customer).profile.attribute("rank")


def test_who_is_missing_from_a_full_snapshot_has_no_attributes_of_it_any_more() -> None:
    def act(world: World) -> None:
        assert isinstance(world, Loading)
        world.drop(people(*(f"c{n},gold,{n}" for n in range(8))), snapshot_key(1))
        world.now += DAY
        world.drop(
            people(*(f"c{n},silver" for n in (7, 1, 3, 0, 5)), header="customer_id,rank"), snapshot_key(2)
        )

    def check(world: World) -> None:
        assert isinstance(world, Loading)
        assert [rank(world, f"c{n}") for n in range(8)] == [
            "silver" if n in (0, 1, 3, 5, 7) else None for n in range(8)
        ]
        assert {world.customer(f"c{n}").profile.attribute("score") for n in range(8)} == {None}
        assert [load.tombstones for load in sorted(world.loads.all(), key=lambda one: one.key)] == [0, 3]
        last = world.snapshots.last("crm")
        assert last is not None
        assert (last.people, last.attributes) == (5, ["rank"])

    assert crash_everywhere(Loading, act, check) > 60


def test_a_partial_snapshot_takes_back_nothing() -> None:
    world = Loading()
    world.drop(people("c1,gold,1", "c2,gold,2"), snapshot_key(1))
    world.drop(people("c1,,3"), snapshot_key(2, "partial"))
    assert (rank(world, "c1"), rank(world, "c2")) == ("gold", "gold")
    assert world.customer("c1").profile.attribute("score") == 3


@pytest.mark.parametrize(
    ("lines", "why"),
    [(["c1,silver,1"], "the one before had"), (["c1,silver,1", "c2,gold,2", '"'], "whose they are")],
)
def test_a_broken_snapshot_takes_nobody_as_missing(lines: list[str], why: str) -> None:
    world = Loading()
    world.drop(people("c1,gold,1", "c2,gold,2", "c3,gold,3"), snapshot_key(1))
    world.now += DAY
    load = world.drop(people(*lines), snapshot_key(2))
    assert why in load.kept_back
    assert (rank(world, "c1"), rank(world, "c3"), load.tombstones) == ("silver", "gold", 0)
    world.now += DAY
    again = world.drop(people("c1,silver,1", "c2,gold,2"), snapshot_key(3))
    assert (again.tombstones, rank(world, "c3")) == (1, None), "compared with the last whole one"


def test_a_row_that_is_rejected_is_not_missing() -> None:
    world = Loading()
    world.drop(people("c1,gold,1", "c2,gold,2"), snapshot_key(1))
    world.now += DAY
    load = world.drop(people("c1,silver,1", f"c2,gold,{'9' * 20}x{'y' * 2000}"), snapshot_key(2))
    assert (load.rejected, load.tombstones, rank(world, "c2")) == (1, 0, "gold")


def test_an_older_snapshot_that_comes_later_changes_nothing() -> None:
    world = Loading()
    world.now += 5 * DAY
    world.drop(people("c1,gold,1", "c2,gold,2"), snapshot_key(2))
    load = world.drop(people("c1,bronze,1"), snapshot_key(1))
    assert (rank(world, "c1"), rank(world, "c2"), load.tombstones) == ("gold", "gold", 0)
    last = world.snapshots.last("crm")
    assert last is not None
    assert last.people == 2


def test_json_lines_take_back_what_they_tell_no_more() -> None:
    world = Loading()
    rows = [{"customer_id": f"c{n}", "rank": "gold", "score": n} for n in range(4)]
    world.drop(jsonl(*rows), "incoming/crm/snapshot/people_2026-11-01.jsonl")
    world.now += DAY
    world.drop(
        jsonl({"customer_id": "c0", "rank": "gold"}, *rows[1:3]),
        "incoming/crm/snapshot/people_2026-11-02.jsonl",
    )
    assert world.customer("c0").profile.attribute("score") is None
    assert (rank(world, "c0"), rank(world, "c3")) == ("gold", None)


def test_a_file_moves_the_watermark_of_its_source_and_a_short_one_does_not() -> None:
    world = Loading()
    expected = {"shop": Source(26 * 3600, Expect(86_400, None, 50))}
    world.apply(msgspec.structs.replace(playbook(), sources=expected))
    for day in range(1, 4):
        body = csv_of(*(line(n, at=f"2026-10-0{day}T00:00:00Z") for n in range(4)))
        world.drop(body, f"incoming/shop/orders_2026-10-0{day}.csv")
    world.drop(csv_of(line(9)), "incoming/shop/orders_2026-10-04.csv")
    world.drop(b"nothing", "incoming/shop/orders_2026-10-05.csv")
    world.drop(csv_of(line(8)), "incoming/shop/history/old_2026-10-06.csv")
    log = world.account_state.read().loads["shop"]
    assert [(note.rows, note.short) for note in log.loads] == [(4, False)] * 3 + [(1, True)]
    assert log.watermark is not None
    assert format_instant(log.watermark) == "2026-10-03T15:00:00Z", (
        "the end of the day by the account's clock"
    )


def test_a_source_that_no_playbook_names_is_not_noted() -> None:
    world = Loading()
    world.drop(csv_of(line(1)))
    assert world.account_state.read().loads == {}


def test_a_crash_is_no_error_of_the_flow() -> None:
    """The fakes' crash passes through every handler of errors, so that the tests above mean something."""
    world = Loading()
    world.tap.crash_once(4)
    world.opened[KEY, "v1"] = csv_of(line(1))
    with pytest.raises(Crash):
        world.loading.begin(FileDropped(KEY, "v1", len(csv_of(line(1)))), lambda: 900.0)
