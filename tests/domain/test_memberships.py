"""Memberships: kept up to date by every change, the same as a full recompute, and never entered by being defined."""

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain import playbook as pb
from functions.domain import progress
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer, new_customer, next_due
from functions.domain.events import BUILT_IN, Event
from functions.domain.instants import Instant
from functions.domain.journeys import SEGMENT_REENTRY_SECONDS_MIN
from functions.domain.memberships import baselined, evaluated, is_outdated
from functions.domain.playbook import Expression
from functions.domain.profiles import fold_all
from functions.domain.progress import moved_on, refreshed, take_in, take_in_again
from functions.domain.segments import inlined, names_of, parse, segment_hash
from functions.domain.tracking import SegmentChange, members
from tests.domain.strategies import (
    DAY,
    EVENTS,
    HOUR,
    NOON,
    SECOND,
    compiled,
    event,
    segment,
    send,
)

LINKED = new_customer("c1", "U1", NOON - 30 * DAY, "link")
DAY_SECONDS = 86_400
WORDS = {**EVENTS, "purchase": msgspec.structs.replace(EVENTS["purchase"], keep_days=2)}
"""Single purchases are remembered, so that windows can be asked for."""


def when(source: str) -> Expression:
    return inlined(parse(source, names_of({**BUILT_IN, **WORDS})), {})


def hash_of(source: str) -> str:
    return segment_hash(when(source))


def starting(segment_name: str, *steps: pb.Step, on: Any = "entered", **more: Any) -> pb.Scenario:
    entry = pb.Entry("", more.pop("fresh_seconds", DAY_SECONDS), more.pop("when", None), segment_name, on)
    return pb.Scenario(entry, list(steps), 10, "buy", "all", "crm", **more)


def book(version: str = "v1", scenarios: dict[str, pb.Scenario] | None = None, **segments: str) -> Compiled:
    trees = {name: segment(when(source)) for name, source in segments.items()}
    return compiled(version, events=WORDS, segments=trees, scenarios=scenarios or {})


BUYERS = "orders.count >= 1"
QUIET = "days_since(orders.last_at) >= 2"
VIP = '"vip" in tags'


def taken(
    customer: Customer, current: Compiled, *events: Event, now: Instant = NOON, old: Sequence[Compiled] = ()
) -> Customer:
    return take_in(customer, events, current, {one.version: one for one in old}, "acc", now)


def woken(customer: Customer, current: Compiled, now: Instant, old: Sequence[Compiled] = ()) -> Customer:
    return moved_on(customer, current, {one.version: one for one in old}, "acc", now)


def started(customer: Customer) -> list[tuple[str, Instant]]:
    return [(journey.scenario, journey.entered_at) for journey in customer.journeys]


# ---- entering and leaving


def test_an_event_makes_a_member_at_once_and_starts_the_journey_at_its_own_instant() -> None:
    current = book(scenarios={"welcome": starting("buyers", send("hello"))}, buyers=BUYERS)
    bought = taken(LINKED, current, event(at=NOON - HOUR))
    assert bought.segments == [hash_of(BUYERS)]
    assert started(bought) == [("welcome", NOON - HOUR)]
    assert [intent.step for intent in bought.outbox] == ["hello"]


def test_leaving_starts_what_is_about_leaving_and_only_that() -> None:
    scenarios = {
        "in": starting("quiet", send("in")),
        "out": starting("quiet", send("out"), on="left"),
    }
    current = book(scenarios=scenarios, quiet=QUIET)
    customer = taken(LINKED, current, event(at=NOON - 3 * DAY), now=NOON - 3 * DAY)
    customer = woken(customer, current, NOON - DAY)
    assert started(customer) == [("in", NOON - DAY)]
    customer = taken(customer, current, event(event_id="e2"))
    assert started(customer) == [("in", NOON - DAY), ("out", NOON)]


def test_time_makes_a_member_at_the_computed_instant_however_late_somebody_looks() -> None:
    current = book(scenarios={"win_back": starting("quiet", send("hello"))}, quiet=QUIET)
    customer = taken(LINKED, current, event(at=NOON))
    assert (customer.segments, customer.segments_due) == ([], NOON + 2 * DAY)
    assert next_due(customer) == NOON + 2 * DAY
    late = woken(customer, current, NOON + 2 * DAY + HOUR)
    assert started(late) == [("win_back", NOON + 2 * DAY)]
    assert (late.segments, late.segments_due) == ([hash_of(QUIET)], None)


def test_a_look_that_finds_nothing_due_changes_nothing() -> None:
    current = book(quiet=QUIET, buyers=BUYERS)
    customer = taken(LINKED, current, event(at=NOON))
    assert woken(customer, current, NOON + DAY) == customer


def test_every_change_by_time_on_the_way_is_one_of_its_own() -> None:
    """Nobody looked while the customer came to be in the segment and went out of it again."""
    scenarios = {
        "in": starting("third_day", send("in"), fresh_seconds=10 * DAY_SECONDS),
        "out": starting("third_day", send("out"), on="left", fresh_seconds=10 * DAY_SECONDS),
    }
    current = book(scenarios=scenarios, third_day="days_since(orders.last_at) == 2")
    customer = taken(LINKED, current, event(at=NOON))
    assert started(woken(customer, current, NOON + 5 * DAY)) == [
        ("in", NOON + 2 * DAY),
        ("out", NOON + 3 * DAY),
    ]


def test_a_change_by_time_comes_before_an_event_that_happened_after_it() -> None:
    current = book(
        scenarios={"win_back": starting("quiet", pb.WaitFor(HOUR.seconds), send("x"))}, quiet=QUIET
    )
    customer = taken(LINKED, current, event(at=NOON))
    again = event(event_id="e2", at=NOON + 2 * DAY + HOUR)
    bought = taken(customer, current, again, now=NOON + 3 * DAY)
    assert started(bought) == [("win_back", NOON + 2 * DAY)]
    assert bought.segments == []


def test_what_is_provisional_makes_no_member() -> None:
    current = book(scenarios={"welcome": starting("buyers", send("hello"))}, buyers=BUYERS)
    waiting = taken(LINKED, current, event(status="provisional"))
    assert (waiting.segments, waiting.journeys) == ([], [])
    assert started(taken(waiting, current, event())) == [("welcome", NOON)]


def test_an_old_event_that_comes_late_makes_a_member_and_starts_nothing() -> None:
    current = book(scenarios={"welcome": starting("buyers", send("hello"))}, buyers=BUYERS)
    late = taken(LINKED, current, event(at=NOON - 2 * DAY))
    assert (late.segments, late.journeys) == ([hash_of(BUYERS)], [])


def test_an_old_event_starts_nothing_although_the_memberships_were_true_until_just_now() -> None:
    current = book(scenarios={"welcome": starting("buyers", send("hello"))}, buyers=BUYERS)
    customer = taken(LINKED, current, event("visit", at=NOON - HOUR), now=NOON - HOUR)
    late = taken(customer, current, event(event_id="e2", at=NOON - 2 * DAY))
    assert (late.segments, late.journeys) == ([hash_of(BUYERS)], [])


def test_a_late_event_is_no_older_than_what_the_memberships_were_last_true_at() -> None:
    current = book(scenarios={"welcome": starting("buyers", send("hello"))}, buyers=BUYERS)
    customer = taken(LINKED, current, event("visit", at=NOON - HOUR), now=NOON - HOUR)
    late = taken(customer, current, event(event_id="e2", at=NOON - 2 * HOUR))
    assert started(late) == [("welcome", NOON - HOUR)]


def test_an_entry_asks_its_condition_and_its_freshness() -> None:
    refused = {
        "asked": starting("buyers", send("a"), when=when(VIP)),
        "stale": starting("buyers", send("b"), fresh_seconds=60),
        "off": starting("buyers", send("c"), on="entered"),
    }
    refused["off"] = msgspec.structs.replace(refused["off"], on=False)
    current = book(scenarios=refused, buyers=BUYERS)
    assert taken(LINKED, current, event(at=NOON - HOUR)).journeys == []


def test_a_scenario_starts_from_a_segment_no_sooner_than_an_hour_after_it_began() -> None:
    scenario = starting("vips", send("hello"), reentry_seconds=0)
    current = book(scenarios={"vip": scenario}, vips=VIP)
    on, off = event("tag_added", "t1", NOON, tag="vip"), event("tag_removed", "t2", NOON + SECOND, tag="vip")
    soon = event("tag_added", "t3", NOON + HOUR - SECOND, tag="vip")
    assert len(taken(LINKED, current, on, off, soon, now=NOON + HOUR).journeys) == 1
    later = event("tag_added", "t3", NOON + HOUR, tag="vip")
    assert len(taken(LINKED, current, on, off, later, now=NOON + HOUR).journeys) == 2
    assert HOUR.total_seconds() == SEGMENT_REENTRY_SECONDS_MIN


def test_a_journeys_tag_makes_a_member_and_starts_the_next_journey_in_the_same_change() -> None:
    scenarios = {
        "first": starting("buyers", pb.WaitFor(HOUR.seconds), pb.SetTag("vip")),
        "second": starting("vips", send("hello")),
    }
    current = book(scenarios=scenarios, buyers=BUYERS, vips=VIP)
    customer = taken(LINKED, current, event(at=NOON))
    assert started(woken(customer, current, NOON + 2 * HOUR)) == [("first", NOON), ("second", NOON + HOUR)]


def test_two_journeys_that_take_turns_with_a_tag_come_to_rest() -> None:
    scenarios = {
        "add": starting("plain", pb.SetTag("vip"), reentry_seconds=3600),
        "remove": starting("vips", pb.SetTag("vip", remove=True), reentry_seconds=3600),
    }
    current = book(scenarios=scenarios, plain=f"{BUYERS} and not {VIP}", vips=VIP)
    customer = taken(LINKED, current, event(at=NOON))
    assert started(customer) == [("add", NOON), ("remove", NOON)]
    assert customer.segments == members(customer.profile, current.tracked.values(), NOON)


def test_a_segment_that_reads_context_facts_has_no_members() -> None:
    tree = ["cmp", "==", ["context", "busy", ["const", ""]], ["const", True]]
    current = compiled(segments={"busy": segment(tree)})
    assert current.tracked == {}


def test_two_names_of_one_meaning_are_one_membership_that_starts_both() -> None:
    scenarios = {"a": starting("buyers", send("a")), "b": starting("customers", send("b"))}
    current = book(scenarios=scenarios, buyers=BUYERS, customers=BUYERS)
    bought = taken(LINKED, current, event())
    assert bought.segments == [hash_of(BUYERS)]
    assert {name for name, _ in started(bought)} == {"a", "b"}


# ---- another playbook


def test_nobody_enters_a_segment_because_it_was_defined() -> None:
    old = book("v1", vips=VIP)
    new = book("v2", {"welcome": starting("buyers", send("hello"))}, buyers=BUYERS, vips=VIP)
    customer = taken(LINKED, old, event(at=NOON))
    defined = taken(customer, new, event("visit", "v", NOON + HOUR), now=NOON + HOUR, old=[old])
    assert (defined.segments, defined.journeys) == ([hash_of(BUYERS)], [])


def test_who_enters_a_new_segment_by_the_first_event_after_it_does_enter() -> None:
    old = book("v1", vips=VIP)
    new = book("v2", {"welcome": starting("buyers", send("hello"))}, buyers=BUYERS, vips=VIP)
    customer = taken(LINKED, old, event("visit", "v", NOON))
    bought = taken(customer, new, event(at=NOON + HOUR), now=NOON + HOUR, old=[old])
    assert started(bought) == [("welcome", NOON + HOUR)]


def test_an_old_event_takes_no_membership_of_a_new_playbook_back_in_time() -> None:
    old, new = book("v1", vips=VIP), book("v2", buyers=BUYERS, vips=VIP)
    customer = taken(LINKED, old, event(at=NOON))
    assert baselined(customer, new, old.tracked, NOON - DAY).evaluated_at == NOON


def test_a_new_segment_that_time_makes_a_member_of_together_with_an_old_one_is_entered() -> None:
    """The first look after the change comes at the very instant that both wait for."""
    old = book("v1", quiet=QUIET)
    edited = f"{QUIET} and not {VIP}"
    new = book("v2", {"win_back": starting("quiet", send("hello"))}, quiet=edited)
    customer = taken(LINKED, old, event(at=NOON))
    late = woken(customer, new, NOON + 2 * DAY + SECOND, [old])
    assert started(late) == [("win_back", NOON + 2 * DAY)]


def test_what_is_no_segment_any_more_is_dropped_and_not_left() -> None:
    old = book("v1", buyers=BUYERS)
    new = book("v2", {"bye": starting("vips", send("hello"), on="left")}, vips=VIP)
    customer = taken(LINKED, old, event(at=NOON))
    assert taken(customer, new, event("visit", "v"), old=[old]).segments == []


def test_a_segment_that_was_known_before_is_still_entered_after_the_switch() -> None:
    old = book("v1", quiet=QUIET)
    new = book("v2", {"win_back": starting("calm", send("hello"))}, calm=QUIET, vips=VIP)
    customer = taken(LINKED, old, event(at=NOON))
    assert started(woken(customer, new, NOON + 2 * DAY, [old])) == [("win_back", NOON + 2 * DAY)]


# ---- history, refolding, refreshing


def imported(one: Event) -> Event:
    return msgspec.structs.replace(one, imported=True)


def again(
    customer: Customer, current: Compiled, *history: Event, now: Instant = NOON, quietly: bool = True
) -> Customer:
    return take_in_again(customer, history, current, {}, "acc", now, quietly=quietly)


def test_history_makes_members_and_starts_nothing() -> None:
    current = book(scenarios={"welcome": starting("buyers", send("hello"))}, buyers=BUYERS)
    customer = again(LINKED, current, imported(event()))
    assert (customer.segments, customer.journeys) == ([hash_of(BUYERS)], [])


def test_an_event_that_came_live_and_was_never_folded_is_entered_by_although_history_comes_with_it() -> None:
    current = book(scenarios={"thrice": starting("many", send("hello"))}, many="orders.count >= 3")
    old = [imported(event(event_id=f"old{n}", at=NOON - (9 - n) * DAY)) for n in range(2)]
    assert again(LINKED, current, *old).journeys == []
    assert started(again(LINKED, current, *old, event(at=NOON))) == [("thrice", NOON)]


def test_an_event_whose_fold_was_cut_off_is_entered_by_when_it_comes_again() -> None:
    current = book(scenarios={"welcome": starting("buyers", send("hello"))}, buyers=BUYERS)
    visited = taken(LINKED, current, event("visit", "v", NOON - HOUR), now=NOON - HOUR)
    history = [event("visit", "v", NOON - HOUR), event(at=NOON)]
    assert again(visited, current, *history, quietly=False) == taken(visited, current, event(at=NOON))


def test_of_two_events_that_were_never_folded_the_newer_one_says_how_fresh_their_entering_is() -> None:
    current = book(scenarios={"welcome": starting("twice", send("hello"))}, twice="orders.count >= 2")
    history = [event(at=NOON - 3 * DAY), event(event_id="e2", at=NOON)]
    assert started(again(LINKED, current, *history, quietly=False)) == [("welcome", NOON)]


def test_history_known_already_changes_nothing() -> None:
    current = book(buyers=BUYERS, quiet=QUIET)
    customer = again(LINKED, current, imported(event()))
    assert again(customer, current, imported(event()), now=NOON + HOUR) == customer


def test_a_profile_is_outdated_by_another_dictionary_and_only_until_it_is_folded_anew() -> None:
    old = book("v1", buyers=BUYERS)
    words = {**WORDS, "purchase": msgspec.structs.replace(WORDS["purchase"], alias="sales")}
    new = compiled("v2", events=words)
    amount = msgspec.structs.replace(WORDS["purchase"].properties["amount"], meaning="paid", unit="JPY")
    told = {**WORDS["purchase"].properties, "amount": amount}
    otherwise = msgspec.structs.replace(WORDS["purchase"], meaning="said otherwise", properties=told)
    said = {**WORDS, "purchase": otherwise}
    customer = taken(LINKED, old, event())
    assert not is_outdated(customer, old)
    assert not is_outdated(customer, compiled("v3", events=said))
    assert is_outdated(customer, new)
    assert not is_outdated(again(customer, new, event()), new)
    assert not is_outdated(LINKED, new)
    assert is_outdated(msgspec.structs.replace(LINKED, profile=customer.profile), old)


def test_another_dictionary_makes_members_quietly_but_the_event_that_comes_with_it_counts() -> None:
    words = {**EVENTS, "visit": msgspec.structs.replace(EVENTS["visit"], alias="orders_too")}
    current = compiled(
        "v2",
        events=words,
        segments={"twice": segment(["cmp", ">=", ["count", "orders_too"], ["const", 2]])},
        scenarios={"twice": starting("twice", send("hello"))},
    )
    old = book("v1")
    seen = [event("visit", f"v{n}", NOON - HOUR) for n in range(2)]
    customer = taken(LINKED, old, *seen)
    assert again(customer, current, *seen).journeys == []
    one = taken(LINKED, old, seen[0])
    assert started(again(one, current, seen[0], event("visit", "new", NOON))) == [("twice", NOON)]


def test_a_refresh_makes_members_and_starts_only_what_it_was_asked_to_and_only_once() -> None:
    old = book("v1")
    new = book("v2", {"welcome": starting("buyers", send("hello"))}, buyers=BUYERS)
    customer = taken(LINKED, old, event(at=NOON - 9 * DAY), now=NOON - 9 * DAY)

    def fresh(customer: Customer, *starts: str) -> Customer:
        return refreshed(customer, new, {"v1": old}, "acc", NOON + HOUR, starts, NOON)

    assert (fresh(customer).segments, fresh(customer).journeys) == ([hash_of(BUYERS)], [])
    loud = fresh(customer, hash_of(BUYERS))
    assert started(loud) == [("welcome", NOON)]
    assert fresh(loud, hash_of(BUYERS)) == loud
    # An event in between made the customer a member quietly: it is asked for all the same.
    assert started(fresh(fresh(customer), hash_of(BUYERS))) == [("welcome", NOON)]


def test_a_refresh_starts_nobody_who_is_no_member() -> None:
    new = book("v2", {"welcome": starting("buyers", send("hello"))}, buyers=BUYERS)
    assert refreshed(LINKED, new, {}, "acc", NOON, [hash_of(BUYERS)], NOON).journeys == []


# ---- the heart: incremental is the same as full

POOL = {
    "buyers": BUYERS,
    "quiet": QUIET,
    "vips": VIP,
    "many": "orders.count >= 3",
    "third_day": "days_since(orders.first_at) == 3",
    "edited": f"{QUIET} and not {VIP}",
    "big": "orders.amount > 10",
    "nobody_yet": "orders.count == 0 or days_since(visit.last_at) > 1",
    "lately": "orders.count_in(days=2) >= 2 or orders.amount_in(days=1) > 7",
    "looked": "visit.not_followed_by(orders, hours=24)",
    "hours": "hours_since(orders.last_at) >= 5 and minutes_since(orders.last_at) < 1000",
}
VERSIONS = [
    book("v1", buyers=POOL["buyers"], quiet=POOL["quiet"], nobody=POOL["nobody_yet"]),
    book("v2", buyers=POOL["buyers"], quiet=POOL["edited"], third=POOL["third_day"], vips=POOL["vips"]),
    book("v3", None, **POOL),
]
BY_VERSION = {one.version: one for one in VERSIONS}

_event_kinds = st.sampled_from(
    [
        ("purchase", {"order_id": "o", "amount": 7}),
        ("visit", {}),
        ("tag_added", {"tag": "vip"}),
        ("tag_removed", {"tag": "vip"}),
    ]
)
_ops = st.one_of(
    st.tuples(st.just("event"), _event_kinds, st.integers(0, 3 * 24 * 60), st.booleans()),
    st.tuples(st.just("duplicate"), st.integers(0, 20)),
    st.tuples(st.just("wake")),
    st.tuples(st.just("timers")),
    st.tuples(st.just("playbook"), st.integers(0, 2)),
    st.tuples(st.just("import"), _event_kinds, st.integers(0, 5 * 24 * 60)),
    st.tuples(st.just("refresh")),
)


class Story:
    """One customer under a random story, beside the history that a full recompute starts from."""

    def __init__(self) -> None:
        self.now, self.current = NOON, VERSIONS[0]
        self.customer, self.history = LINKED, list[Event]()
        self.changes: list[SegmentChange] = []

    def recorded(self, *arguments: Any) -> Any:
        customer, changes = evaluated(*arguments)
        self.changes += changes
        for change in changes:
            assert (change.hash in arguments[0].segments) == (change.on == "left")
            assert (change.hash in customer.segments) == (change.on == "entered")
        return customer, changes

    def act(self, op: tuple[Any, ...]) -> None:
        match op:
            case ("event", (name, properties), late, provisional):
                at = self.now - dt.timedelta(minutes=late)
                one = event(name, f"e{len(self.history)}", at, **properties)
                if provisional:
                    self.arrive(msgspec.structs.replace(one, status="provisional"))
                self.arrive(one)
            case ("duplicate", number) if self.history:
                self.arrive(self.history[number % len(self.history)])
            case ("wake",):
                self.customer = moved_on(self.customer, self.current, BY_VERSION, "acc", self.now)
            case ("timers",):
                self.fire()
            case ("playbook", number):
                self.current = VERSIONS[number]
            case ("import", (name, properties), late):
                at = self.now - dt.timedelta(minutes=late)
                one = event(name, f"i{len(self.history)}", at, **properties)
                self.history.append(imported(one))
                self.customer = take_in_again(
                    self.customer, self.history, self.current, BY_VERSION, "acc", self.now, quietly=True
                )
            case ("refresh",):
                self.customer = refreshed(
                    self.customer, self.current, BY_VERSION, "acc", self.now, [], self.now
                )

    def arrive(self, one: Event) -> None:
        if not self.customer.has_seen(one) and one.identity not in {e.identity for e in self.history}:
            self.history.append(one)
            self.customer = take_in(self.customer, [one], self.current, BY_VERSION, "acc", self.now)

    def fire(self) -> None:
        due = next_due(self.customer)
        if due is not None and due <= self.now:
            self.customer = moved_on(self.customer, self.current, BY_VERSION, "acc", self.now)

    def check(self) -> None:
        known = BY_VERSION.get(self.customer.segments_of)
        due = self.customer.segments_due
        if known is None or (due is not None and due <= self.now):
            return
        profile = fold_all(self.history, known.dictionary)
        for at in {self.now, self.now + (due - self.now) / 2 if due else self.now + 99 * DAY}:
            assert self.customer.segments == members(profile, known.tracked.values(), at), at


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 36 * 60), _ops), max_size=14))
def test_incremental_memberships_are_those_of_a_full_recompute(story: list[tuple[int, Any]]) -> None:
    told = Story()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "evaluated", told.recorded)
        for minutes, op in story:
            told.now += dt.timedelta(minutes=minutes)
            told.act(op)
            told.check()
    for key in {change.hash for change in told.changes}:
        mine = [change for change in told.changes if change.hash == key]
        assert [change.at for change in mine] == sorted(change.at for change in mine)
        assert len({change.identity for change in mine}) == len(mine)


# ---- cascades end

_TAGS = ["a", "b", "c"]
_steps = st.lists(
    st.one_of(
        st.builds(pb.SetTag, st.sampled_from(_TAGS), st.booleans()),
        st.builds(pb.WaitFor, st.sampled_from([0, 60, 3600])),
    ),
    min_size=1,
    max_size=4,
)
_starting = st.builds(
    lambda tag, on, steps, pause: starting(tag, *steps, on=on, reentry_seconds=pause),
    st.sampled_from([*_TAGS, "any"]),
    st.sampled_from(["entered", "left"]),
    _steps,
    st.sampled_from([None, 0, 3600, 7200]),
)
_TAGGED: dict[str, Any] = {tag: f'"{tag}" in tags' for tag in _TAGS} | {"any": '"a" in tags or "b" in tags'}


@given(
    st.lists(_starting, min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from(_TAGS), st.booleans()), min_size=1, max_size=6),
)
def test_journeys_that_start_each_other_by_tags_come_to_rest(
    scenarios: list[pb.Scenario], tags: list[tuple[int, str, bool]]
) -> None:
    current = book(scenarios={f"s{n}": one for n, one in enumerate(scenarios)}, **_TAGGED)
    customer, now = LINKED, NOON
    starts: set[tuple[str, Instant]] = set()
    for number, (minutes, tag, added) in enumerate(tags):
        now += dt.timedelta(minutes=minutes)
        name = "tag_added" if added else "tag_removed"
        customer = taken(customer, current, event(name, f"t{number}", now, tag=tag), now=now)
        starts |= set(started(customer))
        assert customer.segments == members(customer.profile, current.tracked.values(), now)
        assert all(j.due is None or j.due > now for j in customer.journeys if j.active)
    for name in current.playbook.scenarios:
        mine = sorted(at for scenario, at in starts if scenario == name)
        assert all(late - early >= HOUR for early, late in itertools.pairwise(mine))
