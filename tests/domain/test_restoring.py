"""What comes back knows all that was known: no claim, no contact and no opt-out is lost on the way."""

import datetime as dt
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.claims import decide
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.fact_rows import EventKept, SendWritten, rows_of
from functions.domain.facts import Click, EventFact, Friendship, JourneyFact, Send
from functions.domain.gate import Claim, ClaimState, Contact, Gate, Hold, may_have_arrived
from functions.domain.journeys import Journey
from functions.domain.registers import Register
from functions.domain.restoring import (
    back,
    both_gates,
    goes_on,
    is_end,
    passages,
    rebuilt_gate,
    record_of_fact,
    with_journeys,
)
from functions.domain.retelling import event_of_fact, line_user_of, stops
from functions.domain.sends import SendRecord
from functions.domain.verdicts import Ended
from functions.playbook.checking import load_playbook
from tests.aws.samples import intent

NOW = dt.datetime(2026, 11, 2, 3, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
BOOK = Compiled(load_playbook(Path("playbooks/ec")))
NONE = passages([], [])


def send(send_id: str = "s1", status: str = "sent", at: dt.datetime = NOW, **more: object) -> Send:
    told = SendRecord(
        send_id, "c1", "U1", "sent", at, at, "promotion", "weekly_picks", "h", BOOK.version, "offer"
    )
    (row,) = rows_of(SendWritten(msgspec.structs.replace(told, scenario="path"), at), lambda _v: BOOK)
    assert isinstance(row, Send)
    return msgspec.structs.replace(row, status=status, **more)


STATUSES = st.sampled_from(["sent", "suppressed", "failed", "unknown"])
SENDS = st.lists(
    st.tuples(st.integers(0, 30), STATUSES, st.integers(0, 200)), unique_by=lambda one: one[0], max_size=20
).map(lambda told: [send(f"s{n}", status, NOW + hours * HOUR) for n, status, hours in told])


def lived(sends: list[Send]) -> Gate:
    """The gate of somebody to whom all of this came about, as the sender leaves it."""
    claims = [
        Claim(
            one.send_id,
            "path/1",
            "offer",
            "U1",
            "h",
            one.made_at,
            one.at,
            NOW + 300 * HOUR,
            _state(one),
            one.reason,
        )
        for one in sends
    ]
    contacts = [
        Contact(one.send_id, "promotion", one.at) for one in sends if one.status in ("sent", "unknown")
    ]
    return Gate("c1", link=Register("U1", NOW, "e1"), claims=claims, contacts=contacts)


def _state(one: Send) -> ClaimState:
    return "open" if one.status == "sent" else one.status  # type: ignore[return-value]


@given(SENDS, st.integers(0, 20))
def test_a_gate_of_before_with_the_facts_since_counts_no_less_than_the_gate_that_was_lost(
    sends: list[Send], at: int
) -> None:
    lost, then = lived(sends), lived(sends[:at])
    rebuilt = rebuilt_gate(then, sends[at:], [], NONE, NOW)
    assert {one.send_id for one in rebuilt.claims} == {one.send_id for one in lost.claims}
    assert {one.send_id: one.at for one in rebuilt.contacts} == {one.send_id: one.at for one in lost.contacts}
    arrived = {one.send_id for one in rebuilt.claims if may_have_arrived(one)}
    assert arrived == {one.send_id for one in sends if one.status in ("sent", "unknown")}


@given(SENDS, st.randoms())
def test_facts_in_any_order_and_any_number_of_times_make_the_same_gate(
    sends: list[Send], random: object
) -> None:
    once = rebuilt_gate(Gate("c1"), sends, [], NONE, NOW)
    shuffled = list(sends)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = rebuilt_gate(rebuilt_gate(Gate("c1"), shuffled, [], NONE, NOW), sends, [], NONE, NOW)
    assert sorted(again.claims, key=lambda one: one.send_id) == sorted(
        once.claims, key=lambda one: one.send_id
    )
    assert {one.send_id for one in again.contacts} == {one.send_id for one in once.contacts}


@given(SENDS, SENDS)
def test_of_two_gates_the_united_one_knows_all_that_either_knows(left: list[Send], right: list[Send]) -> None:
    then, stands = lived(left), msgspec.structs.replace(lived(right), link=None, version=3)
    united = both_gates(then, stands)
    for name in ("claims", "contacts"):
        ids = {one.send_id for one in getattr(united, name)}
        assert ids == {one.send_id for gate in (then, stands) for one in getattr(gate, name)}
    assert (united.version, united.line_user_id) == (3, "U1")


def test_what_is_recorded_is_never_pushed_whatever_else_is_true() -> None:
    one = intent()
    told = send(one.send_id)
    gate = rebuilt_gate(Gate("c1", link=Register("U1", NOW, "e1")), [told], [], NONE, NOW)
    decision = decide(one, gate, BOOK.rules, None, "h", NOW)  # type: ignore[arg-type]
    assert decision.verdict == Ended("unknown", "recorded:sent")
    assert decision.gate is gate


def test_a_claim_that_was_open_at_the_backup_is_recorded_and_its_hold_is_gone() -> None:
    then = msgspec.structs.replace(
        lived([send()]),
        holds=[
            Hold("s1", "promotion", 1, NOW + HOUR, "path/1", NOW),
            Hold("s2", "promotion", 1, NOW, "x/1", NOW),
        ],
    )
    rebuilt = rebuilt_gate(then, [send()], [], NONE, NOW)
    assert [(one.state, one.reason, one.hash) for one in rebuilt.claims] == [
        ("unknown", "recorded:sent", "h")
    ]
    assert [one.send_id for one in rebuilt.holds] == ["s2"]


def test_a_claim_outlives_whatever_may_be_made_anew_today() -> None:
    (claim,) = rebuilt_gate(Gate("c1"), [send(at=NOW - 30 * HOUR)], [], NONE, NOW).claims
    assert claim.until == NOW + dt.timedelta(days=8, hours=1)


def test_an_end_for_a_gate_that_was_not_there_is_none() -> None:
    assert not is_end(send(status="suppressed", reason="erased"))
    assert is_end(send(status="suppressed", reason="no_consent"))
    assert rebuilt_gate(Gate("c1"), [send(status="suppressed", reason="erased")], [], NONE, NOW) == Gate("c1")


def test_who_blocked_or_withdrew_since_is_known_to_the_gate_whatever_came_before() -> None:
    then = Gate("c1", link=Register("U1", NOW, "e0"), friends={"U1": Register(True, NOW, "e0")})
    told = [
        Event("e1", "c1", "line_unfollow", NOW + HOUR, properties={"line_user_id": "U1"}),
        Event("e2", "c1", "consent_withdrawn", NOW + HOUR, properties={"purpose": "marketing"}),
        Event("e3", "c1", "purchase", NOW + HOUR),
    ]
    rebuilt = rebuilt_gate(then, [], stops(told), NONE, NOW + 2 * HOUR)
    assert not rebuilt.reaches("U1")
    assert rebuilt.consent["marketing"].value is False


def test_a_send_is_of_the_passage_that_went_on_when_it_was_made() -> None:
    journeys = [Journey("j1", "path", "v", 1, NOW, "t")]
    later = JourneyFact("j2", "c1", "path", "v", 2, "entered", NOW + 5 * HOUR, "", NOW)
    known = passages(journeys, [later])
    assert known.of(send(made_at=NOW + HOUR)) == "path/1"
    assert known.of(send(made_at=NOW + 6 * HOUR)) == "path/2"
    assert known.of(send(run="weekly@2026-11-02T03:00:00Z")) == "weekly@2026-11-02T03:00:00Z/1"
    assert NONE.of(send()) == "path/1"


def told(change: str, journey: str = "j2", at: dt.datetime = NOW) -> JourneyFact:
    return JourneyFact(journey, "c1", "path", "v2", 2, change, at, "", NOW)


def test_a_journey_begun_since_begins_again_under_its_own_id() -> None:
    found = with_journeys(Customer("c1"), [told("entered"), told("done", at=NOW + HOUR)])
    (journey,) = found.journeys
    assert (journey.journey_id, journey.version, journey.occurrence, journey.entered_at) == (
        "j2",
        "v2",
        2,
        NOW,
    )
    assert journey.active, "it walks to its end again: what it said last may have waited"


@pytest.mark.parametrize("change", ["goal", "exited"])
def test_a_journey_that_was_left_since_stays_left(change: str) -> None:
    then = Customer("c1", journeys=[Journey("j1", "path", "v", 1, NOW, "t", at=1, due=NOW + HOUR)])
    (journey,) = with_journeys(then, [told(change, "j1", NOW + HOUR)]).journeys
    assert (journey.status, journey.ended_at, journey.due) == (change, NOW + HOUR, None)


def test_a_customer_comes_back_to_be_folded_anew_and_is_woken_when_something_is_due() -> None:
    then = Customer("c1", version=7, journeys=[Journey("j1", "path", "v", 1, NOW, "t", at=1, due=NOW + HOUR)])
    found = back(then, [], NOW)
    assert (found.refold, found.armed_at, found.version) == (True, NOW + HOUR, 7)
    assert back(then, [told("entered")], NOW).armed_at == NOW
    assert back(msgspec.structs.replace(then, outbox=[intent()]), [], NOW).armed_at == NOW


def test_whoever_began_anew_after_the_loss_is_told_from_whoever_went_on() -> None:
    then = Customer("c1", version=3, seen=["a", "b"])
    assert goes_on(then, msgspec.structs.replace(then, version=4, seen=["b", "c"]))
    assert not goes_on(then, Customer("c1", version=1, seen=["c"]))
    assert not goes_on(then, Customer("c1", version=9, seen=["c"])), "however often it was written"


def test_in_the_place_of_one_that_began_anew_nothing_that_it_knows_is_lost() -> None:
    then = Customer("c1", version=3, link=Register("U1", NOW, "e1"), seen=["a"])
    stands = Customer("c1", version=2, link=Register("U2", NOW + HOUR, "e2"), outbox=[intent()])
    found = back(then, [], NOW, stands)
    assert (found.version, found.line_user_id, len(found.outbox)) == (2, "U2", 1)


EVENTS = [
    Event("e1", "c1", "purchase", NOW, source="shop", properties={"order_id": "1", "amount": 4800}),
    Event("e1", "c1", "purchase", NOW, "provisional", "shop", {"order_id": "1"}),
    Event("e2", "c1", "consent_withdrawn", NOW, source="shop", properties={"purpose": "marketing"}),
    Event("e3", "c1", "purchase", NOW, source="shop", properties={"order_id": "2"}, imported=True),
    Event("e4", "c1", "line_linked", NOW, source="shop", properties={"line_user_id": "U1", "method": "crm"}),
    Event("e5", "c1", "line_unfollow", NOW, source="line", properties={"line_user_id": "U1"}),
    Event(
        "e6",
        "c1",
        "consent_given",
        NOW,
        source="preferences",
        properties={"purpose": "x", "line_user_id": "U1"},
    ),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda one: f"{one.name}-{one.status}")
def test_an_event_that_became_a_fact_can_be_told_again_word_for_word(event: Event) -> None:
    (fact,) = rows_of(EventKept("c1", event, NOW), lambda _v: BOOK)
    assert isinstance(fact, EventFact | Click | Friendship)
    assert event_of_fact(fact, "c1", "U1") == event


def test_what_a_fact_does_not_tell_is_not_made_up() -> None:
    for name in ("profile_updated", "phone_known", "line_message"):
        (fact,) = rows_of(EventKept("c1", Event("e", "c1", name, NOW), NOW), lambda _v: BOOK)
        assert event_of_fact(fact, "c1", "U1") is None  # type: ignore[arg-type]
    (fact,) = rows_of(EventKept("c1", EVENTS[4], NOW), lambda _v: BOOK)
    assert event_of_fact(fact, "c1", "") is None  # type: ignore[arg-type]
    assert "U1" not in json.dumps(msgspec.to_builtins(fact))


def test_a_click_is_told_again_with_what_journeys_ask_of_it() -> None:
    tapped = Event(
        "k1", "c1", "link_clicked", NOW, properties={"send_id": "s1", "link": "1", "scenario": "path"}
    )
    (fact,) = rows_of(EventKept("c1", tapped, NOW), lambda _v: BOOK)
    again = event_of_fact(fact, "c1", "")  # type: ignore[arg-type]
    assert again is not None
    assert (again.identity, again.name, again.properties["scenario"]) == ("k1", "link_clicked", "path")


def test_a_friend_is_told_only_where_there_is_no_doubt() -> None:
    assert line_user_of([(NOW, "U1"), (NOW + 2 * HOUR, "U1")]) == "U1"
    assert line_user_of([(NOW, "U1"), (NOW, "U2")]) == ""
    assert line_user_of([]) == ""


def test_a_line_of_the_log_comes_back_with_all_that_accounts_ask_of_it() -> None:
    record = SendRecord(
        "s1", "c1", "U1", "sent", NOW, NOW, "promotion", "weekly_picks", "h", BOOK.version, "weekly",
        campaign="weekly", run="weekly@x", variant="upsell_perk:sample", unit="anon:x",
    )  # fmt: skip
    (fact,) = rows_of(SendWritten(record, NOW), lambda _v: BOOK)
    found = record_of_fact(msgspec.structs.replace(fact, unit="anon:x"), "c1", "U1")  # type: ignore[arg-type]
    assert found == msgspec.structs.replace(record, facts={"restored": True})
