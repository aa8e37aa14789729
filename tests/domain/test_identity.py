"""Links: made once, disputed by nobody, ended at any time; and what carries over."""

from typing import Any

import msgspec
import pytest

from functions.domain.amendments import Amended
from functions.domain.customers import SEEN_KEPT, Alias, Customer, folded, new_customer
from functions.domain.events import Event
from functions.domain.gate import Claim, Contact, Gate, Hold, new_gate, with_facts
from functions.domain.identity import Link, Tied, link_after, tie, untie
from functions.domain.instants import Instant
from functions.domain.journeys import entered
from functions.domain.profiles import Profile, Register, fold_all
from tests.domain.strategies import DAY, DICTIONARY, HOUR, NOON, SECOND, compiled, event, intent


def linking(
    customer_id: str = "c1", at: Instant = NOON, event_id: str = "e1", name: str = "line_linked", **more: Any
) -> Event:
    properties = {"line_user_id": "U1", **more}
    return msgspec.structs.replace(event(name, event_id, at, **properties), customer_id=customer_id)


def unlinking(customer_id: str = "c1", at: Instant = NOON + HOUR, event_id: str = "e2") -> Event:
    return linking(customer_id, at, event_id, "line_unlinked")


def after(*events: Event) -> Link | None:
    """The link after these events; those that change nothing leave it."""
    link: Link | None = None
    for one in events:
        link = link_after(link, one) or link
    return link


LINKED = Link("U1", "c1", "crm", "linked", NOON, NOON, "e1")


# ---- the link


def test_a_first_link_is_made() -> None:
    assert after(linking()) == LINKED
    assert after(linking(method="login")) == msgspec.structs.replace(LINKED, method="login")


def test_known_news_changes_nothing() -> None:
    assert link_after(LINKED, linking()) is None


@pytest.mark.parametrize(
    "older", [linking(at=NOON - SECOND), linking(event_id="e0"), unlinking(at=NOON - SECOND)]
)
def test_older_news_changes_nothing(older: Event) -> None:
    assert link_after(LINKED, older) is None


def test_a_link_that_is_said_again_keeps_its_beginning() -> None:
    again = link_after(LINKED, linking(at=NOON + DAY, event_id="e2"))
    assert again is not None
    assert (again.linked_at, again.changed_at) == (NOON, NOON + DAY)


def test_a_line_user_of_another_customer_stays_with_that_one() -> None:
    link = after(linking(), linking("c2", NOON + HOUR, "e2"))
    assert link == msgspec.structs.replace(
        LINKED,
        status="conflict",
        claimed_by="c2",
        claim_method="crm",
        claimed_at=NOON + HOUR,
        claim_id="e2",
    )
    assert link.owner == "c1"


def test_a_conflict_is_settled_when_the_owner_says_so_again() -> None:
    link = after(linking(), linking("c2", NOON + HOUR, "e2"), linking("c1", NOON + DAY, "e3"))
    assert link is not None
    assert (link.status, link.customer_id, link.claimed_by) == ("linked", "c1", "")


def test_a_third_claim_is_a_conflict_too() -> None:
    link = after(linking(), linking("c2", NOON + HOUR, "e2"), linking("c3", NOON + DAY, "e3"))
    assert link is not None
    assert (link.status, link.customer_id, link.claimed_by) == ("conflict", "c1", "c3")


def test_a_link_is_ended_by_its_own_customer_alone() -> None:
    assert link_after(LINKED, unlinking("c2")) is None
    ended = link_after(LINKED, unlinking())
    assert ended is not None
    assert (ended.status, ended.owner, ended.changed_at) == ("unlinked", "anon:U1", NOON + HOUR)


def test_an_unlink_that_overtakes_its_link_ends_it() -> None:
    overtaken, in_order = after(unlinking(), linking()), after(linking(), unlinking())
    assert overtaken is not None
    assert in_order is not None
    assert (overtaken.status, overtaken.owner) == (in_order.status, in_order.owner) == ("unlinked", "anon:U1")


def test_a_link_is_ended_once() -> None:
    ended = after(linking(), unlinking())
    assert link_after(ended, unlinking(at=NOON + DAY, event_id="e3")) is None


@pytest.mark.parametrize("customer_id", ["c1", "c2"])
def test_who_was_unlinked_may_be_linked_to_anybody(customer_id: str) -> None:
    link = after(linking(), unlinking(), linking(customer_id, NOON + DAY, "e3"))
    assert link is not None
    assert (link.status, link.customer_id, link.linked_at) == ("linked", customer_id, NOON + DAY)


def test_a_link_keeps_the_version_that_its_next_write_is_conditioned_on() -> None:
    versioned = msgspec.structs.replace(LINKED, version=3)
    for one in (linking("c2", NOON + HOUR, "e2"), unlinking(), linking(at=NOON + DAY, event_id="e2")):
        changed = link_after(versioned, one)
        assert changed is not None
        assert changed.version == 3


# ---- tying

PLAYBOOK = compiled()
CONTACT = Contact("s1", "promotion", NOON - DAY)
CLAIM = Claim("s1", "cart/1", "hello", "U1", "h", NOON, NOON, NOON + DAY)
HOLD = Hold("s2", "promotion", 10, NOON, "cart/1", NOON)


def sides(**more: Any) -> Tied:
    parts: dict[str, Any] = {
        "customer": Customer("c1", version=3),
        "friend": msgspec.structs.replace(new_customer("anon:U1", "U1", NOON - DAY, ""), version=5),
        "gate": Gate("c1", version=7),
        "friend_gate": msgspec.structs.replace(new_gate("anon:U1", "U1", NOON - DAY, ""), version=9),
    }
    return Tied(**{**parts, **more})


def test_after_tying_messages_go_to_the_line_user() -> None:
    tied = tie(sides(), linking())
    assert tied.customer.line_user_id == "U1"
    assert tied.gate.reaches("U1")


def test_the_friend_leads_to_the_customer() -> None:
    tied = tie(sides(), linking())
    assert tied.friend == Customer("anon:U1", 5, merged_into="c1")
    assert tied.friend_gate == Gate("anon:U1", 9, merged_into="c1")
    assert tied.customer.aliases == [Alias("anon:U1")]


def test_tying_keeps_the_versions_that_the_writes_are_conditioned_on() -> None:
    tied = tie(sides(), linking())
    assert (tied.customer.version, tied.friend.version, tied.gate.version, tied.friend_gate.version) == (
        3,
        5,
        7,
        9,
    )


def test_the_profile_is_that_of_both_histories() -> None:
    mine, friends = [event(amount=5)], [event("visit", "e2"), event(event_id="e3", amount=6)]
    before = sides(
        customer=folded(Customer("c1"), mine, PLAYBOOK),
        friend=folded(new_customer("anon:U1", "U1", NOON, ""), friends, PLAYBOOK),
    )
    tied = tie(before, linking())
    whole = fold_all([*mine, *friends], DICTIONARY)
    assert tied.customer.profile == msgspec.structs.replace(whole, linked=True)
    assert all(tied.customer.has_seen(one) for one in (*mine, *friends))


def test_a_tie_that_corrects_across_is_folded_anew_at_the_next_change() -> None:
    known = {"orders": {"order_id=o1": Amended(taken_back=True)}}
    before = sides(
        customer=folded(Customer("c1"), [event(order_id="o1")], PLAYBOOK),
        friend=new_customer("anon:U1", "U1", NOON, ""),
    )
    assert not tie(before, linking()).customer.refold
    friend = msgspec.structs.replace(before.friend, profile=Profile(amended=known))
    assert tie(msgspec.structs.replace(before, friend=friend), linking()).customer.refold


def test_a_tie_of_two_that_were_tied_before_is_folded_anew() -> None:
    assert not tie(sides(), linking()).customer.refold
    met = Customer("c1", aliases=[Alias("anon:U1", until=NOON)])
    assert tie(sides(customer=met), linking()).customer.refold


def test_who_is_untied_is_linked_no_more() -> None:
    tied = tie(sides(), linking())
    cut = untie(tied, event("line_unlinked", "u1", NOON + DAY, line_user_id="U1"))
    assert tied.customer.profile.linked
    assert not cut.customer.profile.linked
    assert not cut.friend.profile.linked


def test_no_more_events_are_known_than_ever() -> None:
    both = {"customer": Customer("c1", seen=["a"] * 64), "friend": Customer("anon:U1", seen=["b"] * 64)}
    assert len(tie(sides(**both), linking()).customer.seen) == SEEN_KEPT


def test_no_cap_is_reset_and_no_claim_is_lost_by_linking() -> None:
    friend_gate = Gate("anon:U1", contacts=[CONTACT], claims=[CLAIM], holds=[HOLD])
    tied = tie(sides(friend_gate=friend_gate), linking())
    assert (tied.gate.contacts, tied.gate.claims, tied.gate.holds) == ([CONTACT], [CLAIM], [HOLD])


def test_an_opt_out_of_the_friend_is_one_of_the_customer() -> None:
    friend_gate = with_facts(
        Gate("anon:U1"),
        [event("consent_withdrawn", purpose="all"), event("line_unfollow", "e2", line_user_id="U1")],
    )
    tied = tie(sides(friend_gate=friend_gate), linking())
    assert tied.gate.consent["all"].value is False
    assert not tied.gate.reaches("U1")


def test_waiting_intents_and_their_counts_carry_over() -> None:
    mine, friends = intent("a"), intent("b")
    before = sides(
        customer=Customer("c1", outbox=[mine], intended={"a": 2, "b": 1}),
        friend=Customer("anon:U1", outbox=[friends], intended={"b": 3}),
    )
    tied = tie(before, linking())
    assert tied.customer.outbox == [mine, friends]
    assert tied.customer.intended == {"a": 2, "b": 4}


def test_of_two_running_journeys_through_one_scenario_the_customers_goes_on() -> None:
    mine = entered("welcome", "v1", "c1", [], event())
    friends = [entered(name, "v1", "anon:U1", [], event()) for name in ("welcome", "cart")]
    over = msgspec.structs.replace(
        entered("welcome", "v1", "anon:U1", [], event(event_id="e0")), status="done"
    )
    before = sides(
        customer=Customer("c1", journeys=[mine]), friend=Customer("anon:U1", journeys=[*friends, over])
    )
    assert tie(before, linking()).customer.journeys == [mine, friends[1], over]


def test_a_late_older_link_does_not_take_the_place_of_a_newer_one() -> None:
    newer = Register("U9", NOON + DAY, "e9")
    before = sides(customer=Customer("c1", link=newer), gate=Gate("c1", link=newer))
    tied = tie(before, linking(at=NOON))
    assert tied.customer.line_user_id == "U9"
    assert tied.gate.line_user_id == "U9"


def test_tying_twice_is_tying_once() -> None:
    once = tie(sides(), linking())
    assert tie(once, linking()) == once


# ---- untying


def untied(**more: Any) -> Tied:
    return untie(tie(sides(**more), linking()), unlinking())


def test_after_untying_nothing_goes_to_the_line_user_of_the_customer() -> None:
    apart = untied()
    assert apart.customer.line_user_id == ""
    assert not apart.gate.reaches("U1")


def test_the_friend_is_anonymous_again_and_reached() -> None:
    apart = untied()
    assert (apart.friend.customer_id, apart.friend.merged_into, apart.friend.line_user_id) == (
        "anon:U1",
        "",
        "U1",
    )
    assert apart.friend_gate.reaches("U1")
    assert apart.friend_gate.merged_into == ""


def test_untying_keeps_the_versions_that_the_writes_are_conditioned_on() -> None:
    apart = untied()
    assert (apart.customer.version, apart.friend.version, apart.gate.version, apart.friend_gate.version) == (
        3,
        5,
        7,
        9,
    )


def test_untying_resets_no_cap() -> None:
    assert untied(gate=Gate("c1", contacts=[CONTACT])).friend_gate.contacts == [CONTACT]


def test_untying_leaves_the_friend_the_claims_of_what_was_pushed_to_it_alone() -> None:
    another = msgspec.structs.replace(CLAIM, send_id="s9", to="U9")
    gate = Gate("c1", claims=[CLAIM, another], holds=[HOLD])
    assert untied(gate=gate).friend_gate.claims == [CLAIM]
    assert untied(gate=gate).friend_gate.holds == []
    assert untied(gate=gate).gate.claims == [CLAIM, another]


def test_untying_leaves_the_cases_with_the_customer() -> None:
    apart = untied(gate=with_facts(Gate("c1"), [event("complaint_opened")]))
    assert (apart.gate.open_flags(), apart.friend_gate.open_flags()) == (["complaint"], [])


def test_untying_keeps_that_the_friend_left() -> None:
    gate = with_facts(Gate("c1"), [event("line_unfollow", line_user_id="U1")])
    assert not untied(gate=gate).friend_gate.reaches("U1")


def test_untying_gives_the_friend_no_consent_of_the_customers() -> None:
    gate = with_facts(Gate("c1"), [event("consent_given", purpose="news")])
    assert not any(register.value for register in untied(gate=gate).friend_gate.consent.values())


def test_untying_loses_no_opt_out() -> None:
    """It is the same person, at the same LINE user, who said no."""
    gate = with_facts(Gate("c1"), [event("consent_withdrawn", purpose="all")])
    consent = untied(gate=gate).friend_gate.consent
    assert "all" in consent
    assert consent["all"].value is False


def test_the_history_of_an_untied_friend_begins_with_the_untying() -> None:
    assert untied().friend.history_from == unlinking().occurred_at


def test_untying_another_line_user_leaves_the_customers_own() -> None:
    newer = Register("U9", NOON + 2 * HOUR, "e9")
    apart = untie(sides(customer=Customer("c1", link=newer), gate=Gate("c1", link=newer)), unlinking())
    assert apart.customer.line_user_id == "U9"
    assert apart.gate.line_user_id == "U9"


# ---- memberships


def in_segments(customer_id: str, *hashes: str, of: str = "v1", at: Instant = NOON - DAY) -> Customer:
    return Customer(customer_id, segments=list(hashes), segments_of=of, evaluated_at=at, folded_by="words")


def tied_memberships(mine: Customer, friends: Customer) -> Customer:
    news = event("line_linked", line_user_id="U1")
    return tie(Tied(mine, friends, Gate("c1"), Gate("anon:U1")), news).customer


def test_a_tie_makes_a_member_of_what_either_was_in_and_is_itself_when_that_may_change() -> None:
    tied = tied_memberships(in_segments("c1", "b"), in_segments("anon:U1", "a", "b", at=NOON - HOUR))
    assert (tied.segments, tied.segments_of) == (["a", "b"], "v1")
    assert (tied.evaluated_at, tied.segments_due) == (NOON - HOUR, NOON)


def test_a_tie_with_somebody_never_evaluated_keeps_the_other_sides_memberships() -> None:
    for tied in (
        tied_memberships(Customer("c1"), in_segments("anon:U1", "a")),
        tied_memberships(in_segments("c1", "a"), Customer("anon:U1")),
    ):
        assert (tied.segments, tied.segments_of, tied.segments_due) == (["a"], "v1", NOON)
        assert tied.folded_by == "words"
    assert tied_memberships(Customer("c1"), Customer("anon:U1")).segments_due is None


def test_memberships_of_two_playbooks_are_nobodys_and_so_are_profiles_of_two_dictionaries() -> None:
    friends = msgspec.structs.replace(in_segments("anon:U1", of="v2"), folded_by="other words")
    tied = tied_memberships(in_segments("c1"), friends)
    assert (tied.segments_of, tied.folded_by) == ("", "")
