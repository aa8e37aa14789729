"""Corrections, windows and consent in the profile: the same for every order and repetition of any events."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.events import BUILT_IN, Amendment, Event, EventType, PropertyType
from functions.domain.gate import Gate, with_facts
from functions.domain.line_events import LINE_EVENTS
from functions.domain.profiles import (
    JOURNEY,
    Occurrence,
    Profile,
    Register,
    fold,
    fold_all,
    must_refold,
    profile_union,
    union_must_refold,
    with_provisional,
)
from functions.domain.tallies import KEPT_LONGER_DAYS, KEPT_MAX
from tests.domain.strategies import DAY, HOUR, NOON, arrivals, confirmed, event, event_sets

KEEP_DAYS = 1
ORDER_ID = PropertyType("string")
EVENTS = {
    "purchase": EventType(
        "an order was paid",
        alias="orders",
        properties={
            "order_id": ORDER_ID,
            "amount": PropertyType("number", sum=True),
            "category": PropertyType("string", index=True),
            "rank": PropertyType("string", attribute=True),
        },
        verb="bought",
        keep_days=KEEP_DAYS,
    ),
    "order_cancelled": EventType(
        "never happened",
        alias="cancellations",
        properties={"order_id": ORDER_ID},
        amends=Amendment("purchase", "order_id"),
    ),
    "item_returned": EventType(
        "a part of it came back",
        alias="returns",
        properties={"order_id": ORDER_ID, "refund": PropertyType("number", sum=True)},
        amends=Amendment("purchase", "order_id", {"refund": "amount"}),
    ),
}
DICTIONARY = {**BUILT_IN, **LINE_EVENTS, **EVENTS}

_orders = st.sampled_from(["o1", "o2", "o3"])
_contents: st.SearchStrategy[tuple[str, dict[str, Any]]] = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "order_id": _orders,
            "amount": st.integers(0, 9) | st.just(0.1),
            "category": st.sampled_from(["hair", "skin"]),
            "rank": st.sampled_from(["gold", "silver"]),
        },
    ).map(lambda properties: ("purchase", properties)),
    _orders.map(lambda order: ("order_cancelled", {"order_id": order})),
    st.tuples(_orders, st.integers(1, 5)).map(
        lambda drawn: ("item_returned", {"order_id": drawn[0], "refund": drawn[1]})
    ),
    st.sampled_from(["line_follow", "line_unfollow"]).map(lambda name: (name, {"line_user_id": "U1"})),
    st.tuples(st.sampled_from(["consent_given", "consent_withdrawn"]), st.sampled_from("ab")).map(
        lambda drawn: (drawn[0], {"purpose": drawn[1]})
    ),
    st.just(("line_linked", {"line_user_id": "U1", "consent": ["a"]})),
)
sets = event_sets(_contents)


def folded(*events: Event) -> Profile:
    return fold_all(events, DICTIONARY)


def bought(event_id: str = "e1", order_id: str = "o1", amount: float = 10, **more: Any) -> Event:
    return event("purchase", event_id, order_id=order_id, amount=amount, **more)


def cancelled(event_id: str = "c1", order_id: str = "o1", **more: Any) -> Event:
    return event("order_cancelled", event_id, order_id=order_id, **more)


def returned(event_id: str = "r1", order_id: str = "o1", refund: float = 4, **more: Any) -> Event:
    return event("item_returned", event_id, order_id=order_id, refund=refund, **more)


def as_they_come(batches: Sequence[Sequence[Event]]) -> tuple[Profile, int]:
    """As the caller folds: one by one, and anew from all that came where the profile says so; how often it did."""
    profile, known, refolds = Profile(), dict[str, Event](), 0
    for batch in batches:
        news = [
            one
            for one in {one.identity: one for one in batch}.values()
            if one.identity not in known and not (one.status == "provisional" and one.event_id in known)
        ]
        anew = must_refold(profile, news, DICTIONARY)
        refolds += anew
        for one in news:
            superseded = one.status == "provisional" and one.event_id in known
            known[one.identity] = one
            if not anew and not superseded:
                profile = fold(profile, one, DICTIONARY)
        if anew:
            profile = fold_all(known.values(), DICTIONARY)
    return profile, refolds


@given(st.data())
def test_the_fold_is_the_same_for_every_order_and_repetition(data: st.DataObject) -> None:
    events = data.draw(sets)
    assert fold_all(data.draw(arrivals(events)), DICTIONARY) == fold_all(events, DICTIONARY)


@settings(max_examples=300)
@given(st.data())
def test_what_comes_in_pieces_gives_the_fold_of_the_whole(data: st.DataObject) -> None:
    coming = data.draw(arrivals(data.draw(sets)))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(coming)), max_size=6)))
    pieces = [coming[start:end] for start, end in zip([0, *cuts], [*cuts, len(coming)], strict=True)]
    assert as_they_come(pieces)[0] == fold_all(coming, DICTIONARY)


@settings(max_examples=300)
@given(st.data())
def test_a_union_that_needs_no_refold_is_the_fold_of_the_whole(data: st.DataObject) -> None:
    events = data.draw(sets)
    ids = sorted({one.event_id for one in events})
    mine = data.draw(st.sets(st.sampled_from(ids))) if ids else set()
    left = [one for one in events if one.event_id in mine]
    right = [one for one in events if one.event_id not in mine]
    if not union_must_refold(folded(*left), folded(*right)):
        assert profile_union(folded(*left), folded(*right)) == folded(*events)
        assert profile_union(folded(*right), folded(*left)) == folded(*events)


@given(sets)
def test_what_is_provisional_counts_as_if_it_were_confirmed(events: list[Event]) -> None:
    as_if = with_provisional(folded(*events), DICTIONARY)
    expected = folded(*(confirmed(one) for one in events))
    assert msgspec.structs.replace(as_if, provisional={}) == expected


@given(sets)
def test_a_profile_survives_writing_and_reading(events: list[Event]) -> None:
    profile = folded(*events)
    assert msgspec.json.decode(msgspec.json.encode(profile), type=Profile) == profile


@given(sets, st.data())
def test_an_order_and_its_cancellation_are_as_if_neither_had_happened(
    events: list[Event], data: st.DataObject
) -> None:
    others = [one for one in events if one.properties.get("order_id") != "o1" and one.status == "confirmed"]
    both = data.draw(st.permutations([*others, bought("x", rank="gold", category="hair"), cancelled("y")]))
    profile, without = folded(*both), folded(*others)
    own = profile.tallies["cancellations"]
    assert own.count == 1 + (
        without.tallies["cancellations"].count if "cancellations" in without.tallies else 0
    )
    tallies = {**profile.tallies, **{word: without.tallies[word] for word in without.tallies if word == "cancellations"}}  # fmt: skip
    if "cancellations" not in without.tallies:
        del tallies["cancellations"]
    amended = msgspec.structs.replace(profile, tallies=tallies, amended=without.amended)
    assert amended == without


@given(sets)
def test_only_the_newest_occurrences_are_remembered_whatever_came_first(events: list[Event]) -> None:
    orders = folded(*events).tallies.get("orders")
    if orders is None:
        return
    cancellations = {one.properties["order_id"] for one in events if one.name == "order_cancelled" and one.status == "confirmed"}  # fmt: skip
    ats = [
        one.occurred_at
        for one in events
        if one.name == "purchase"
        and one.status == "confirmed"
        and one.properties.get("order_id") not in cancellations
    ]
    reach = (KEEP_DAYS + KEPT_LONGER_DAYS) * DAY
    assert [one.at for one in orders.kept] == sorted(at for at in ats if at > max(ats) - reach)


@given(sets)
def test_consent_and_friendship_are_those_of_the_gate(events: list[Event]) -> None:
    profile = folded(*events)
    gate = with_facts(Gate("c1"), [one for one in events if one.status == "confirmed"])
    plainly = {name: Register(one.value, one.at, one.event_id) for name, one in profile.consent.items()}
    assert plainly == gate.consent
    assert profile.blocked == (not gate.friends["U1"].value if "U1" in gate.friends else False)


def test_an_occurrence_remembers_its_sums() -> None:
    kept = folded(bought(), bought("e2", at=NOON - HOUR, amount=0.5)).tallies["orders"].kept
    assert kept == [Occurrence(NOON - HOUR, {"amount": 500_000}), Occurrence(NOON, {"amount": 10_000_000})]


def test_an_event_that_is_not_to_be_kept_is_only_counted() -> None:
    assert folded(cancelled()).tallies["cancellations"].kept == []


def test_at_most_a_thousand_occurrences_are_remembered() -> None:
    events = [bought(f"e{number}", at=NOON + number * HOUR / 100) for number in range(KEPT_MAX + 5)]
    kept = folded(*reversed(events)).tallies["orders"].kept
    assert Counter(one.at for one in kept) == Counter(one.occurred_at for one in events[5:])


@pytest.mark.parametrize("turned", [False, True])
def test_a_return_lessens_the_sums_of_its_order_alone(turned: bool) -> None:
    events = [bought(), bought("e2", "o2"), returned()]
    orders = folded(*reversed(events) if turned else events).tallies["orders"]
    assert (orders.count, orders.sum_of("amount")) == (2, 16)
    assert sorted(one.sums["amount"] for one in orders.kept) == [6_000_000, 10_000_000]


def test_returns_of_one_order_add_up() -> None:
    assert folded(bought(), returned(), returned("r2", refund=5)).tallies["orders"].sum_of("amount") == 1


def test_a_correction_is_counted_itself_and_is_not_amended() -> None:
    profile = folded(cancelled(), returned(), returned("r2"))
    assert (profile.tallies["cancellations"].count, profile.tallies["returns"].sum_of("refund")) == (1, 8)


def test_a_correction_without_a_key_corrects_nothing() -> None:
    profile = folded(event("purchase", "e1", amount=1), event("order_cancelled", "c1"))
    assert profile.tallies["orders"].count == 1
    assert profile.amended == {}


def test_an_order_that_comes_after_its_cancellation_needs_no_refold() -> None:
    profile, refolds = as_they_come([[cancelled()], [bought()], [bought("e2", "o2")]])
    assert refolds == 0
    assert profile.tallies["orders"].count == 1


@pytest.mark.parametrize("batches", [[[bought()], [cancelled()]], [[bought(), cancelled()]]])
def test_a_correction_after_its_order_asks_for_the_whole_history(batches: list[list[Event]]) -> None:
    profile, refolds = as_they_come(batches)
    assert refolds == 1
    assert "orders" not in profile.tallies


def test_ordinary_events_never_ask_for_the_whole_history() -> None:
    profile = folded(bought(), bought("e2", "o2"))
    assert not must_refold(
        profile, [bought("e3", "o3"), event("consent_given", "e4", purpose="a")], DICTIONARY
    )


def test_a_provisional_cancellation_counts_only_as_if() -> None:
    profile = folded(bought(rank="gold"), cancelled(status="provisional"))
    assert profile.tallies["orders"].count == 1
    as_if = with_provisional(profile, DICTIONARY)
    assert "orders" not in as_if.tallies
    assert as_if.attributes == {}


@pytest.mark.parametrize(
    "coming",
    [
        [cancelled(status="provisional"), bought()],
        [bought(), cancelled(status="provisional"), bought("e2", "o2")],
        [bought(), cancelled(status="provisional"), cancelled()],
    ],
)
def test_a_provisional_cancellation_counts_as_if_whatever_comes_before_and_after(coming: list[Event]) -> None:
    profile, _ = as_they_come([[one] for one in coming])
    assert profile == folded(*coming)
    left = [one for one in coming if one.event_id == "e2"]
    assert with_provisional(profile, DICTIONARY).tallies.get("orders") == folded(*left).tallies.get("orders")


def test_what_is_taken_back_already_is_not_taken_back_again_as_if() -> None:
    assert folded(bought(), cancelled(), cancelled("c2", status="provisional")).as_if is None


def test_what_journeys_set_holds_as_if_too() -> None:
    profile = folded(bought(), cancelled(status="provisional"))
    own = {"vip_since": Register("2026", NOON, f"{JOURNEY}j1")}
    profile = msgspec.structs.replace(profile, attributes=own, tags=own, linked=True)
    as_if = with_provisional(profile, DICTIONARY)
    assert (as_if.attributes, as_if.tags, as_if.linked) == (own, own, True)


def test_a_tie_asks_for_the_whole_history_only_where_one_side_corrects_the_other() -> None:
    assert union_must_refold(folded(cancelled()), folded(bought()))
    assert union_must_refold(folded(bought()), folded(cancelled(status="provisional")))
    assert not union_must_refold(folded(bought(), cancelled()), folded(event("line_follow", "l1")))


@pytest.mark.parametrize("first", ["order_cancelled", "item_returned"])
def test_what_was_taken_back_stays_so_when_a_part_of_it_comes_back_too(first: str) -> None:
    said: dict[str, dict[str, Any]] = {
        "order_cancelled": {"order_id": "o1"},
        "item_returned": {"order_id": "o1", "refund": 3},
    }
    second = next(name for name in said if name != first)
    corrections = [
        event(first, "e2", NOON + HOUR, **said[first]),
        event(second, "e3", NOON + DAY, **said[second]),
    ]
    order = event("purchase", "e1", order_id="o1", amount=10)
    assert "orders" not in fold_all([order, *corrections], DICTIONARY).tallies
    profile = Profile()
    for one in (*corrections, order):
        profile = fold(profile, one, DICTIONARY)
    assert "orders" not in profile.tallies


def test_a_correction_is_never_corrected_itself() -> None:
    undone = EventType("x", properties={"order_id": ORDER_ID}, amends=Amendment("item_returned", "order_id"))
    events = [
        event("purchase", "e1", order_id="o1", amount=10),
        event("item_returned", "e2", order_id="o1", refund=3),
        event("return_undone", "e3", order_id="o1"),
    ]
    tallies = fold_all(events, {**DICTIONARY, "return_undone": undone}).tallies
    assert (tallies["orders"].sum_of("amount"), tallies["returns"].count) == (7, 1)
