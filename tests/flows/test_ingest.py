"""CRM events in: the good go on, the others get a precise answer and are kept."""

import json
from typing import Any

import pytest

from functions.aws.event_bus import decode_bus
from functions.domain.json_bodies import DEPTH_MAX
from functions.ports.errors import Retryable
from tests.fakes.crashes import crash_everywhere
from tests.fakes.payloads import payload
from tests.fakes.playbooks import playbook
from tests.fakes.world import INGEST_KEY, World

AUTHORIZATION = f"Bearer {INGEST_KEY}"


def fresh() -> World:
    return World(playbook())


def orders(world: World, customer_id: str) -> int:
    tally = world.customer(customer_id).profile.tallies.get("orders")
    return tally.count if tally else 0


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        INGEST_KEY,
        f"Basic {INGEST_KEY}",
        f"Bearer {INGEST_KEY}x",
        "Bearer é",
    ],
)
def test_without_the_key_nothing_is_taken_in(authorization: str) -> None:
    world = fresh()
    answer = world.ingestion.ingest(json.dumps(payload("ingest/purchase")).encode(), authorization)
    assert answer.status == 401
    assert world.inbox_queue.total == 0
    assert world.rejected.kept == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"events": {}}', b"\xff", b"null", b'{"events": ' + b"[" * 100_000]
)
def test_a_body_of_another_form_is_answered_with_400(body: bytes) -> None:
    assert fresh().ingestion.ingest(body, AUTHORIZATION).status == 400


@pytest.mark.parametrize("depth", [DEPTH_MAX, 900, 985])
def test_a_body_that_nests_too_deep_is_answered_with_400(depth: int) -> None:
    """What is rejected is written again, to be kept: that it could be read does not say that it can be."""
    world = fresh()
    body = f'{{"events": [{{"event_id": 1, "x": {"[" * depth}{"]" * depth}}}]}}'.encode()
    assert world.ingestion.ingest(body, AUTHORIZATION).status == 400
    assert world.rejected.kept == []


def test_more_than_500_events_or_a_megabyte_is_refused_whole() -> None:
    world = fresh()
    many = {"events": [world.purchase("c1") for _ in range(501)]}
    assert world.ingestion.ingest(json.dumps(many).encode(), AUTHORIZATION).status == 413
    assert world.ingestion.ingest(b" " * (1024 * 1024 + 1), AUTHORIZATION).status == 413
    assert world.inbox_queue.total == 0


def test_500_events_are_taken_in() -> None:
    world = fresh()
    assert world.ingest(*(world.purchase(f"c{n % 7}") for n in range(500))).body == {
        "accepted": 500,
        "rejected": [],
    }
    world.run()
    assert sum(orders(world, f"c{n}") for n in range(7)) == 500


def test_each_bad_event_is_named_by_its_index_with_a_code_and_the_good_go_on() -> None:
    world = fresh()
    answer = world.ingest(*payload("ingest/mixed")["events"])
    assert answer.status == 202
    assert answer.body["accepted"] == 2
    assert [(fault["index"], fault["event_id"], fault["code"]) for fault in answer.body["rejected"]] == [
        (1, "typo-1", "unknown_event"),
        (2, "no-zone", "malformed"),
        (3, "no-order", "missing_property"),
        (4, "text-amount", "wrong_type"),
        (5, "reserved", "malformed"),
        (6, "ahead", "in_future"),
        (7, None, "malformed"),
    ]
    world.run()
    assert orders(world, "C-1001") == 1


def test_rejected_events_are_kept_as_they_came() -> None:
    world = fresh()
    raw = payload("ingest/mixed")["events"]
    world.ingest(*raw)
    assert [kept["event"] for kept in world.rejected.kept] == raw[1:8]


def test_the_same_event_id_counts_once_within_a_request_and_across_requests() -> None:
    world = fresh()
    (raw,) = payload("ingest/purchase")["events"]
    world.ingest(raw, raw)
    world.ingest(raw)
    world.run()
    world.ingest(raw)
    world.run()
    assert orders(world, "C-1001") == 1


def test_the_same_event_id_of_two_customers_counts_for_both() -> None:
    world = fresh()
    (raw,) = payload("ingest/purchase")["events"]
    world.ingest(raw, {**raw, "customer_id": "C-1002"})
    world.run()
    assert (orders(world, "C-1001"), orders(world, "C-1002")) == (1, 1)


def test_a_property_that_the_dictionary_does_not_name_is_kept_with_the_event() -> None:
    world = fresh()
    world.ingest(*payload("ingest/purchase")["events"])
    world.run()
    (kept,) = world.events.all_of("C-1001")
    assert kept.properties["shipping"] == "express"


def test_a_queue_that_refuses_a_part_makes_the_caller_repeat_and_nothing_counts_twice() -> None:
    world = fresh()
    events = [world.purchase("c1"), world.purchase("c2"), world.purchase("c3")]
    world.inbox_queue.refuses = lambda position: position != 1
    with pytest.raises(Retryable):
        world.ingest(*events)
    world.ingest(*events)
    world.run()
    assert [orders(world, f"c{n}") for n in (1, 2, 3)] == [1, 1, 1]


def test_a_crash_at_any_call_loses_and_doubles_nothing() -> None:
    def act(world: World) -> None:
        world.ingest(*payload("ingest/mixed")["events"])
        world.run()

    def check(world: World) -> None:
        assert orders(world, "C-1001") == 1
        assert list(world.customer("C-1002").profile.provisional) == ["order-20261102-0003"]
        assert {kept["index"] for kept in world.rejected.kept} == set(range(1, 8))
        assert world.dead() == []

    assert crash_everywhere(fresh, act, check) > 20


UNKEEPABLE: list[dict[str, Any]] = [
    {"event_id": "\ud83d"},
    {"customer_id": "c\ud83d"},
    {"properties": {"order_id": "\ud83d"}},
    {"properties": {"order_id": "1", "note": "\ud83d"}},
    {"properties": {"order_id": "1", "\ud83d": 1}},
    {"source": "\ud83d"},
]


@pytest.mark.parametrize(
    "change", UNKEEPABLE, ids=["event_id", "customer_id", "known", "unknown", "key", "source"]
)
def test_half_a_surrogate_pair_is_rejected_and_its_neighbours_go_on(change: dict[str, Any]) -> None:
    world = fresh()
    answer = world.ingest(world.purchase("c1"), {**world.purchase("c2"), **change}, world.purchase("c3"))
    world.run()
    assert answer.status == 202
    assert [fault["index"] for fault in answer.body["rejected"]] == [1]
    assert (orders(world, "c1"), orders(world, "c3")) == (1, 1)


def test_a_rejected_event_that_names_half_a_character_is_kept_like_others() -> None:
    """The hash by which erased people are known has to be one of any text that JSON may bring."""
    world = fresh()
    raw = {**world.event("bought", "c\ud83d"), "properties": {"line_user_id": "\ud83d"}}
    answer = world.ingest(raw, world.purchase("c2"))
    assert [fault["code"] for fault in answer.body["rejected"]] == ["unknown_event"]
    assert [kept["event"] for kept in world.rejected.kept] == [raw]


@pytest.mark.parametrize("value", [10**30, float("nan"), float("inf"), 1e308, [[[]]], {"a": {"b": None}}])
def test_a_strange_value_of_a_property_without_meaning_stops_nothing(value: Any) -> None:
    world = fresh()
    raw = world.purchase("c1")
    raw["properties"]["note"] = value
    answer = world.ingest(raw, world.purchase("c2"))
    world.run()
    assert answer.status == 202
    assert orders(world, "c2") == 1
    assert world.dead() == []


@pytest.mark.parametrize("value", [True, 1e13, "1", [1]])
def test_a_sum_takes_numbers_within_bounds_only(value: Any) -> None:
    world = fresh()
    raw = world.purchase("c1")
    raw["properties"]["amount"] = value
    assert [fault["code"] for fault in world.ingest(raw).body["rejected"]] == ["wrong_type"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_sum_takes_finite_numbers_only(value: float) -> None:
    world = fresh()
    raw = world.purchase("c1")
    raw["properties"]["amount"] = value
    (fault,) = world.ingest(raw, world.purchase("c2")).body["rejected"]
    assert fault["code"] in ("wrong_type", "malformed")


def test_an_answer_never_repeats_the_value_that_was_wrong() -> None:
    world = fresh()
    raw = world.purchase("c1")
    raw["properties"]["amount"] = "jane@example.com"
    assert "jane@example.com" not in json.dumps(world.ingest(raw).body)


@pytest.mark.parametrize("field", ["event_id", "customer_id", "occurred_at", "name", "status", "source"])
def test_an_answer_repeats_nothing_that_is_long_or_a_value(field: str) -> None:
    """A function's answer has 6 MB at most, and a megabyte of control signs is six in JSON."""
    world = fresh()
    answer = world.ingest({**world.purchase("c1"), field: "jane@example.com" + "\x7f" * 100_000})
    told = json.dumps(answer.body)
    assert len(told) < 1_000
    assert "jane@example.com" not in told


def test_an_event_too_large_for_a_row_of_the_history_is_rejected_and_its_neighbours_go_on() -> None:
    """A row holds 400 KB: taken in, such an event would only end among the dead letters."""
    world = fresh()
    raw = world.purchase("c2")
    raw["properties"]["note"] = "x" * 500_000
    answer = world.ingest(world.purchase("c1"), raw, world.purchase("c3"))
    assert [fault["index"] for fault in answer.body["rejected"]] == [1]
    world.run()
    assert (orders(world, "c1"), orders(world, "c3")) == (1, 1)


def by_bus(world: World, detail: Any, envelope: str = "b1") -> None:
    told = {"id": envelope, "detail-type": "MusubiEvents", "source": "crm", "detail": detail}
    world.ingestion.take(decode_bus(json.dumps(told)))
    world.run()


def test_what_comes_by_the_bus_is_taken_in_like_what_comes_by_http() -> None:
    world = fresh()
    by_bus(world, world.purchase("c1"))
    by_bus(world, {"events": [world.purchase("c1"), world.event("bought", "c1")]})
    assert orders(world, "c1") == 2
    assert [one["code"] for one in world.rejected.kept] == ["unknown_event"]


def test_an_event_of_the_bus_without_an_id_counts_once_however_often_it_is_delivered() -> None:
    world = fresh()
    nameless = [{k: v for k, v in world.purchase("c1").items() if k != "event_id"} for _ in range(2)]
    for _ in range(3):
        by_bus(world, {"events": nameless})
    assert orders(world, "c1") == 2
    by_bus(world, {"events": nameless}, "b2")
    assert orders(world, "c1") == 4


def test_a_detail_that_is_no_event_is_kept_for_repair() -> None:
    world = fresh()
    by_bus(world, {"events": [5]})
    by_bus(world, {})
    assert [one["code"] for one in world.rejected.kept] == ["malformed", "malformed"]
