"""The gate keeps the last word on each fact, and linking loses nothing."""

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.events import Status
from functions.domain.gate import (
    CLOSED_CASES_KEPT,
    CONTACTS_KEPT,
    Claim,
    Contact,
    Gate,
    Hold,
    concerns_gate,
    merged,
    new_gate,
    pruned,
    with_facts,
)
from functions.domain.profiles import Register
from tests.domain.strategies import DAY, HOUR, NOON, SECOND, arrivals, event, fact_sets, linked_gate


def contact(send_id: str = "s1", **more: object) -> Contact:
    return msgspec.structs.replace(Contact(send_id, "promotion", NOON), **more)


def claim(send_id: str = "s1", **more: object) -> Claim:
    return msgspec.structs.replace(
        Claim(send_id, "cart/1", "hello", "U1", "h", NOON, NOON, NOON + DAY), **more
    )


def hold(send_id: str = "s1", **more: object) -> Hold:
    return msgspec.structs.replace(Hold(send_id, "promotion", 10, NOON, "cart/1", NOON), **more)


@given(st.data())
def test_the_gate_is_the_same_for_every_order_and_repetition(data: st.DataObject) -> None:
    facts = data.draw(fact_sets)
    arrived = data.draw(arrivals(facts))
    assert with_facts(Gate("c1"), arrived) == with_facts(Gate("c1"), facts)


@given(st.data())
def test_the_gate_is_the_same_however_the_facts_are_batched(data: st.DataObject) -> None:
    facts = data.draw(fact_sets)
    gate = Gate("c1")
    for fact in data.draw(arrivals(facts)):
        gate = with_facts(gate, [fact])
    assert gate == with_facts(Gate("c1"), facts)


@given(st.data())
def test_facts_before_and_after_linking_come_to_the_same(data: st.DataObject) -> None:
    facts = data.draw(fact_sets)
    before = data.draw(st.integers(0, len(facts)))
    whole = with_facts(Gate("c1"), facts)
    assert (
        merged(with_facts(Gate("c1"), facts[before:]), with_facts(Gate("anon:U1"), facts[:before])) == whole
    )


# ---- friendship


def test_a_friend_who_left_is_not_reached() -> None:
    gate = linked_gate()
    assert gate.reaches("U1")
    gone = with_facts(gate, [event("line_unfollow", at=NOON, line_user_id="U1")])
    assert not gone.reaches("U1")
    assert with_facts(gone, [event("line_follow", "e2", NOON + SECOND, line_user_id="U1")]).reaches("U1")


def test_an_older_follow_does_not_bring_a_friend_back() -> None:
    gone = with_facts(linked_gate(), [event("line_unfollow", at=NOON, line_user_id="U1")])
    assert not with_facts(gone, [event("line_follow", "e2", NOON - SECOND, line_user_id="U1")]).reaches("U1")


def test_only_the_linked_line_user_is_reached() -> None:
    assert not linked_gate("U1").reaches("U2")
    assert not Gate("c1").reaches("")
    assert not Gate("c1", link=Register(None, NOON, "e")).reaches("")


def test_another_line_users_leaving_concerns_nobody_else() -> None:
    assert with_facts(linked_gate(), [event("line_unfollow", line_user_id="U2")]).reaches("U1")


def test_an_anonymous_friend_is_linked_to_itself() -> None:
    assert new_gate("anon:U1", "U1", NOON, "e").reaches("U1")
    assert new_gate("c1", "", NOON, "e").line_user_id == ""


# ---- consent


def test_a_withdrawal_is_kept_as_one() -> None:
    gate = with_facts(Gate("c1"), [event("consent_withdrawn", purpose="news")])
    assert gate.consent["news"].value is False


def test_the_newest_word_on_a_purpose_counts() -> None:
    given_, withdrawn = (
        event("consent_given", "e1", NOON, purpose="news"),
        event("consent_withdrawn", "e2", NOON + SECOND, purpose="news"),
    )
    assert with_facts(Gate("c1"), [withdrawn, given_]).consent["news"].value is False


def test_linking_gives_the_consents_it_names() -> None:
    gate = with_facts(Gate("c1"), [event("line_linked", line_user_id="U1", consent=["news", "birthday"])])
    assert {name: register.value for name, register in gate.consent.items()} == {
        "news": True,
        "birthday": True,
    }


# ---- cases


@pytest.mark.parametrize(
    ("opens", "closes", "flag"),
    [
        ("inquiry_opened", "inquiry_closed", "inquiry"),
        ("complaint_opened", "complaint_closed", "complaint"),
        ("refund_started", "refund_finished", "refund"),
    ],
)
def test_a_case_is_open_from_its_opening_to_its_closing(opens: str, closes: str, flag: str) -> None:
    opened = with_facts(Gate("c1"), [event(opens, case_id="1")])
    assert opened.open_flags() == [flag]
    assert with_facts(opened, [event(closes, "e2", NOON + SECOND, case_id="1")]).open_flags() == []


def test_closing_one_of_two_cases_leaves_the_other_open() -> None:
    both = [event("inquiry_opened", "e1", case_id="1"), event("inquiry_opened", "e2", case_id="2")]
    first_closed = [*both, event("inquiry_closed", "e3", NOON + HOUR, case_id="1")]
    assert with_facts(Gate("c1"), first_closed).open_flags() == ["inquiry"]
    all_closed = [*first_closed, event("inquiry_closed", "e4", NOON + HOUR, case_id="2")]
    assert with_facts(Gate("c1"), all_closed).open_flags() == []


def test_a_closing_that_comes_before_its_opening_closes_it() -> None:
    closed = with_facts(Gate("c1"), [event("inquiry_closed", "e2", NOON, case_id="1")])
    assert with_facts(closed, [event("inquiry_opened", "e1", NOON - HOUR, case_id="1")]).open_flags() == []


def test_cases_without_an_id_are_one_case() -> None:
    opened = [event("refund_started", "e1"), event("refund_started", "e2", NOON + SECOND)]
    assert with_facts(Gate("c1"), [*opened, event("refund_finished", "e3", NOON + HOUR)]).open_flags() == []


def test_open_flags_are_sorted() -> None:
    opened = [event("refund_started", "e1"), event("complaint_opened", "e2"), event("inquiry_opened", "e3")]
    assert with_facts(Gate("c1"), opened).open_flags() == ["complaint", "inquiry", "refund"]


# ---- provisional facts


@pytest.mark.parametrize(
    ("name", "status", "kept"),
    [
        *((name, "provisional", True) for name in ("line_unfollow", "consent_withdrawn")),
        *((name, "provisional", True) for name in ("inquiry_opened", "complaint_opened", "refund_started")),
        *((name, "provisional", False) for name in ("line_follow", "consent_given", "line_linked")),
        *((name, "provisional", False) for name in ("inquiry_closed", "complaint_closed", "refund_finished")),
        ("line_follow", "confirmed", True),
        ("inquiry_closed", "confirmed", True),
        ("purchase", "confirmed", False),
        ("line_unlinked", "confirmed", False),
    ],
)
def test_a_provisional_fact_may_only_stop_a_message(name: str, status: Status, kept: bool) -> None:
    assert concerns_gate(event(name, status=status)) is kept


def test_a_provisional_consent_allows_nothing() -> None:
    assert (
        with_facts(Gate("c1"), [event("consent_given", status="provisional", purpose="news")]).consent == {}
    )


# ---- pruning


def test_a_contact_is_kept_for_as_long_as_the_longest_window() -> None:
    gate = Gate("c1", contacts=[contact(at=NOON)])
    assert pruned(gate, NOON + CONTACTS_KEPT - SECOND).contacts == gate.contacts
    assert pruned(gate, NOON + CONTACTS_KEPT).contacts == []


def test_an_ended_claim_is_kept_until_its_end() -> None:
    gate = Gate("c1", claims=[claim(until=NOON, state="suppressed")])
    assert pruned(gate, NOON - SECOND).claims == gate.claims
    assert pruned(gate, NOON).claims == []


def test_a_hold_is_kept_for_a_day_after_its_end() -> None:
    gate = Gate("c1", holds=[hold(until=NOON)])
    assert pruned(gate, NOON + DAY - SECOND).holds == gate.holds
    assert pruned(gate, NOON + DAY).holds == []


def test_an_open_case_is_never_pruned() -> None:
    gate = with_facts(Gate("c1"), [event("complaint_opened", at=NOON)])
    assert pruned(gate, NOON + 1000 * DAY) == gate


def test_a_closed_case_is_remembered_for_its_late_opening() -> None:
    gate = with_facts(Gate("c1"), [event("complaint_closed", at=NOON)])
    assert pruned(gate, NOON + CLOSED_CASES_KEPT - SECOND) == gate
    assert pruned(gate, NOON + CLOSED_CASES_KEPT).cases == {}


def test_links_consents_and_friends_are_never_pruned() -> None:
    facts = [event("consent_withdrawn", purpose="all"), event("line_unfollow", line_user_id="U1")]
    gate = with_facts(linked_gate(), facts)
    assert pruned(gate, NOON + 1000 * DAY) == gate


# ---- linking

send_ids = st.sampled_from(["s1", "s2", "s3", "s4"])
unique_contacts = st.lists(send_ids.map(contact), max_size=3, unique_by=lambda c: c.send_id)
unique_claims = st.lists(send_ids.map(claim), max_size=3, unique_by=lambda c: c.send_id)
unique_holds = st.lists(send_ids.map(hold), max_size=3, unique_by=lambda h: h.send_id)


@st.composite
def gates(draw: st.DrawFn, customer_id: str) -> Gate:
    facts = with_facts(Gate(customer_id), draw(fact_sets))
    return msgspec.structs.replace(
        facts, contacts=draw(unique_contacts), claims=draw(unique_claims), holds=draw(unique_holds)
    )


@given(gates("c1"), gates("anon:U1"))
def test_linking_loses_no_contact_no_claim_and_no_hold(mine: Gate, friends: Gate) -> None:
    both = merged(mine, friends)
    for kept, left, right in (
        (both.contacts, mine.contacts, friends.contacts),
        (both.claims, mine.claims, friends.claims),
        (both.holds, mine.holds, friends.holds),
    ):
        ids = [item.send_id for item in kept]
        assert sorted(ids) == sorted({item.send_id for item in (*left, *right)})
    assert both.contacts == sorted(both.contacts, key=lambda one: one.at)


@given(gates("c1"), gates("anon:U1"))
def test_linking_loses_no_opt_out_and_no_open_case(mine: Gate, friends: Gate) -> None:
    both = merged(mine, friends)
    for purpose in mine.consent.keys() | friends.consent.keys():
        words = [gate.consent[purpose] for gate in (mine, friends) if purpose in gate.consent]
        assert both.consent[purpose] == max(words, key=lambda word: (word.at, not word.value, word.event_id))
    for user in mine.friends.keys() | friends.friends.keys():
        words = [gate.friends[user] for gate in (mine, friends) if user in gate.friends]
        assert both.friends[user] == max(words, key=lambda word: (word.at, word.event_id))
    for flag in {*mine.cases, *friends.cases}:
        assert both.cases[flag].keys() == mine.cases.get(flag, {}).keys() | friends.cases.get(flag, {}).keys()


def test_linking_keeps_whose_gate_it_is_and_its_version() -> None:
    both = merged(Gate("c1", version=7, link=Register("U2", NOON, "e")), Gate("anon:U1", version=9))
    assert (both.customer_id, both.version, both.line_user_id) == ("c1", 7, "U2")


def test_a_claim_is_found_by_its_send_id() -> None:
    gate = Gate("c1", claims=[claim("s1"), claim("s2")])
    assert gate.claim("s2") == claim("s2")
    assert gate.claim("s3") is None


@pytest.mark.parametrize("ids", [("a", "b"), ("b", "a")])
def test_of_one_instant_a_withdrawal_beats_the_consent_and_a_closing_the_opening(
    ids: tuple[str, str],
) -> None:
    """A source may tell only the day; and who said no is left alone."""
    first, second = ids
    facts = [
        event("consent_given", first, purpose="marketing"),
        event("consent_withdrawn", second, purpose="marketing"),
        event("inquiry_opened", first, case_id="c"),
        event("inquiry_closed", second, case_id="c"),
    ]
    for order in itertools.permutations(facts):
        gate = with_facts(Gate("c1"), order)
        assert gate.consent["marketing"].value is False
        assert gate.open_flags() == []
