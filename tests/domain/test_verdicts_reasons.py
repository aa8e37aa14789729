"""Each reason of the gate, and the order of its rules."""

import datetime as dt
from typing import Literal, get_args

import msgspec
import pytest

from functions.domain import playbook as pb
from functions.domain.account import (
    UNTIL_LIFTED,
    Account,
    Block,
    BlockReason,
    quota_block,
    scopes_of,
    stale_sources,
)
from functions.domain.claims import Allow
from functions.domain.gate import Claim, Contact, Gate, with_facts
from functions.domain.instants import MINUTE, Instant
from functions.domain.playbook import Cap, Kind, Source
from functions.domain.profiles import Register
from functions.domain.reasons import REFUSALS
from functions.domain.sends import Intent
from functions.domain.sends import held as held_again
from functions.domain.verdicts import Ended, Wait, better_ones, judge
from tests.domain.strategies import DAY, HOUR, NOON, SECOND, WEEK, compiled, event, intent, linked_gate
from tests.domain.verdicts import (
    BARRIERS,
    BY,
    CONTENT,
    DAY_SECONDS,
    NOW,
    WEEKLY,
    campaign,
    consents,
    contacted,
    decided,
    held,
    local,
    rules,
    situation,
    stopped,
    suppressed,
    verdict,
)


def test_what_nothing_forbids_is_claimed_whole() -> None:
    one = intent()
    allowed = decided(one)
    claim = Claim(one.send_id, "cart/1", "hello", "U1", CONTENT, NOON, NOON, NOON + WEEK + HOUR)
    assert allowed.verdict == Allow(claim)
    assert allowed.gate.claims == [claim]
    assert allowed.gate.contacts == [Contact(one.send_id, "promotion", NOON)]


def test_the_claim_outlives_its_intent_by_an_hour() -> None:
    one = intent(expires=2 * DAY)
    allowed = verdict(one)
    assert isinstance(allowed, Allow)
    assert allowed.claim.until == one.expires_at + HOUR


def test_a_decision_prunes_the_gate() -> None:
    old = contacted(NOON - 40 * DAY)
    assert old[0] not in decided(intent(), linked_gate(contacts=old)).gate.contacts


def test_after_its_end_an_intent_has_expired() -> None:
    one = intent()
    assert verdict(one, now=one.expires_at) == suppressed("expired")
    assert isinstance(verdict(one, now=one.expires_at - SECOND), Allow)


def test_so_late_that_a_claim_may_be_forgotten_the_end_is_unknown() -> None:
    one = intent()
    assert verdict(one, now=one.expires_at + HOUR - SECOND) == suppressed("expired")
    assert verdict(one, now=one.expires_at + HOUR) == Ended("unknown", "expired")


def test_a_source_that_was_switched_off_is_stopped() -> None:
    assert verdict(intent(), switched_off=True) == suppressed("stopped")


@pytest.mark.parametrize(
    "gate",
    [
        Gate("c1"),
        linked_gate("U2"),
        Gate("c1", link=Register(None, NOON, "e")),
        with_facts(linked_gate(), [event("line_unfollow", line_user_id="U1")]),
    ],
    ids=["no link", "another link", "unlinked", "blocked"],
)
def test_who_cannot_be_reached_is_unreachable(gate: Gate) -> None:
    assert verdict(intent(), gate) == suppressed("unreachable")


def test_an_intent_for_nobody_is_unreachable() -> None:
    assert verdict(intent(line_user_id=""), Gate("c1")) == suppressed("unreachable")


@pytest.mark.parametrize(
    ("purposes", "gate", "allowed"),
    [
        ([], consents(), True),
        ([], consents(promotion=False), False),
        ([], consents(all=False), False),
        ([], consents(news=False), True),
        (["news"], consents(), False),
        (["news"], consents(news=True), True),
        (["news"], consents(news=False), False),
        (["news"], consents(other=True), False),
        (["news"], consents(news=True, promotion=False), False),
        (["news"], consents(news=True, all=False), False),
        (["news", "offers"], consents(offers=True), True),
        (["news", "offers"], consents(offers=True, news=False), False),
    ],
)
def test_consent_is_for_the_purpose_and_a_withdrawal_always_counts(
    purposes: list[str], gate: Gate, allowed: bool
) -> None:
    answer = verdict(intent(), gate, rules(consent={"promotion": purposes}))
    assert isinstance(answer, Allow) if allowed else answer == suppressed("no_consent")


def test_the_consent_that_another_kind_needs_is_not_asked_for() -> None:
    assert isinstance(verdict(intent(kind="support"), by=rules(consent={"promotion": ["news"]})), Allow)


def test_an_open_case_excludes_the_kinds_that_it_names() -> None:
    gate = with_facts(linked_gate(), [event("complaint_opened")])
    by = rules(exclusions={"complaint": ["promotion"], "inquiry": ["promotion"]})
    assert verdict(intent(), gate, by) == suppressed("excluded:complaint")
    assert isinstance(verdict(intent(kind="support"), gate, by), Allow)
    assert isinstance(verdict(intent(), gate, rules(exclusions={"inquiry": ["promotion"]})), Allow)


def test_one_of_two_cases_that_is_still_open_excludes() -> None:
    facts = [
        event("inquiry_opened", "e1", case_id="1"),
        event("inquiry_opened", "e2", case_id="2"),
        event("inquiry_closed", "e3", NOON + SECOND, case_id="1"),
    ]
    by = rules(exclusions={"inquiry": ["promotion"]})
    assert verdict(intent(), with_facts(linked_gate(), facts), by) == suppressed("excluded:inquiry")


def test_the_first_flag_that_excludes_is_told() -> None:
    gate = with_facts(linked_gate(), [event("refund_started"), event("complaint_opened", "e2")])
    by = rules(exclusions={"refund": ["promotion"], "complaint": ["support"]})
    assert verdict(intent(), gate, by) == suppressed("excluded:refund")


def test_who_bought_meanwhile_is_no_longer_eligible() -> None:
    assert verdict(intent(), eligible=False) == suppressed("no_longer_eligible")


def test_who_is_excluded_by_a_rule_of_the_playbook_is_told_by_which() -> None:
    assert verdict(intent(), excluded=["returners", "staff"]) == suppressed("excluded:returners")


def test_what_only_a_provisional_event_would_end_is_not_confirmed() -> None:
    assert verdict(intent(), confirmed=False) == suppressed("not_confirmed")
    assert verdict(intent(), eligible=False, confirmed=False) == suppressed("no_longer_eligible")


def test_who_is_held_out_gets_nothing_and_takes_no_slot() -> None:
    ended = decided(intent(), holdout=True)
    assert ended.verdict == suppressed("holdout")
    assert ended.gate.contacts == []


def test_who_would_not_have_got_it_anyway_is_not_called_held_out() -> None:
    assert verdict(intent(), holdout=True, eligible=False) == suppressed("no_longer_eligible")


def test_a_withdrawal_of_the_category_stops_messages_of_that_category_alone() -> None:
    gate = consents(coupon=False)
    assert verdict(intent(category="coupon"), gate) == suppressed("no_consent")
    assert isinstance(verdict(intent(category="news"), gate), Allow)
    assert isinstance(verdict(intent(), gate), Allow)


def test_what_a_late_look_overtook_is_replaced() -> None:
    assert verdict(intent(overtaken=True)) == suppressed("outranked")


# ---- blocks of the account


QUARTER = 15 * MINUTE


def test_a_stopped_account_holds() -> None:
    assert verdict(intent(), blocks=stopped(NOON + QUARTER)) == Wait(NOON + QUARTER, "stopped")
    assert isinstance(verdict(intent(), blocks=stopped(NOON)), Allow)


@pytest.mark.parametrize("reason", get_args(BlockReason))
def test_what_is_blocked_asks_again_after_a_quarter_of_an_hour_at_first(reason: BlockReason) -> None:
    for until in (NOON + HOUR, NOON + 30 * DAY, UNTIL_LIFTED):
        assert verdict(intent(), blocks=[Block(reason, until)]) == Wait(NOON + QUARTER, reason)
    assert verdict(intent(), blocks=[Block(reason, NOON + SECOND)]) == Wait(NOON + SECOND, reason)


def waited(one: Intent, block: Block, now: Instant = NOON) -> tuple[list[int], Ended | None]:
    """For how many minutes each it waits while it is blocked, and how it ends."""
    spans: list[int] = []
    while True:
        match verdict(one, now=now, blocks=[block]):
            case Wait(until=until, reason=reason):
                spans.append((until - now) // MINUTE)
                one, now = held_again(one, reason, until, now), until
            case Ended() as ended:
                return spans, ended
            case Allow():
                return spans, None


def test_each_wait_is_as_long_as_all_before_it_and_six_hours_at_most() -> None:
    spans, ended = waited(intent(expires=2 * DAY), Block("stopped", UNTIL_LIFTED))
    assert spans[:8] == [15, 15, 30, 60, 120, 240, 360, 360]
    assert max(spans) == 360
    assert ended == suppressed("stopped")


@pytest.mark.parametrize("expires", [20 * MINUTE, HOUR, DAY, 7 * DAY])
def test_what_stays_blocked_is_asked_until_a_quarter_of_an_hour_before_its_end(expires: dt.timedelta) -> None:
    spans, ended = waited(intent(expires=expires), Block("breaker_open", UNTIL_LIFTED))
    assert (sum(spans) * MINUTE, ended) == (expires - QUARTER, suppressed("breaker_open"))


def test_a_block_that_ends_while_the_intent_lives_lets_it_go_at_that_instant() -> None:
    one = intent(expires=DAY)
    spans, ended = waited(one, Block("over_quota", one.expires_at - MINUTE))
    assert (sum(spans) * MINUTE, ended) == (DAY - MINUTE, None)


def test_what_expires_within_a_quarter_of_an_hour_does_not_wait_for_a_block_that_lasts_longer() -> None:
    one = intent(expires=QUARTER)
    assert verdict(one, blocks=[Block("stopped", one.expires_at)]) == suppressed("stopped")
    assert verdict(one, blocks=[Block("stopped", one.expires_at - SECOND)]) == Wait(
        one.expires_at - SECOND, "stopped"
    )


def test_a_wait_for_another_reason_does_not_make_this_one_longer() -> None:
    one = held_again(intent(), "quiet_hours", NOON, NOON - 9 * HOUR)
    assert verdict(one, blocks=stopped(UNTIL_LIFTED)) == Wait(NOON + QUARTER, "stopped")


@pytest.mark.parametrize(
    ("scope", "kinds", "blocked"),
    [
        ("account", [], True),
        ("account", ["promotion", "support"], True),
        ("account", ["support"], False),
        ("scenario:cart", [], True),
        ("scenario:cart", ["support"], False),
        ("scenario:other", [], False),
        ("segment:vips", [], True),
        ("segment:others", [], False),
        ("campaign:weekly", [], False),
        ("campaign:", [], False),
    ],
)
def test_a_block_is_for_its_scope_and_kinds(scope: str, kinds: list[Kind], blocked: bool) -> None:
    book = compiled(scenarios={"cart": entered_by("vips")}).playbook
    block = Block("breaker_open", NOON + HOUR, scope, kinds)
    assert block.concerns("promotion", scopes_of(intent(), book), NOON) is blocked
    assert not block.concerns("promotion", scopes_of(intent(), book), NOON + HOUR)


def entered_by(segment: str, on: Literal["entered", "left"] = "entered") -> pb.Scenario:
    return pb.Scenario(pb.Entry("", 60, segment=segment, on=on), [], 10, "buy", "all", "crm")


def test_an_intent_is_of_its_source_and_of_the_segment_that_it_is_for() -> None:
    weekly = pb.Campaign("vips", "hello", 50, 3_600, "crm")
    new, old = compiled(campaigns={}).playbook, compiled(campaigns={"weekly": weekly}).playbook
    assert scopes_of(campaign(), old) == ["account", "campaign:weekly", "segment:vips"]
    assert scopes_of(campaign(), new, old) == ["account", "campaign:weekly", "segment:vips"]
    assert scopes_of(campaign(), new) == ["account", "campaign:weekly"]
    assert scopes_of(intent(), old) == ["account", "scenario:cart"]
    leavers = compiled(scenarios={"cart": entered_by("vips", "left")}).playbook
    assert scopes_of(intent(), leavers) == ["account", "scenario:cart"]


def test_of_several_blocks_the_one_that_lasts_longest_is_told() -> None:
    blocks = [
        Block("stopped", NOON + HOUR),
        Block("over_quota", NOON + DAY),
        Block("over_budget", NOON + SECOND),
    ]
    assert verdict(intent(), blocks=blocks) == Wait(NOON + QUARTER, "over_quota")


def test_only_a_stop_of_everything_stops_what_is_no_message() -> None:
    others = [
        Block("stopped", NOON + HOUR, kinds=["promotion"]),
        Block("stopped", NOON + HOUR, "scenario:cart"),
        Block("over_quota", NOON + HOUR),
        Block("stopped", NOON),
    ]
    assert not Account(others).is_stopped(NOON)
    assert Account([*others, Block("stopped", NOON + HOUR)]).is_stopped(NOON)


@pytest.mark.parametrize(("reason", "taken"), [("stopped", 0), ("breaker_open", 0), ("quiet_hours", 1)])
def test_what_is_stopped_takes_nobodys_place(reason: str, taken: int) -> None:
    better = msgspec.structs.replace(held(NOON + HOUR, 1), reason=reason)
    assert len(better_ones(intent(), linked_gate(holds=[better]), rules(), situation(), NOON)) == taken


def test_the_quota_is_blocked_until_the_month_ends_in_japan() -> None:
    assert quota_block(local("2026-11-30T23:59:59")) == Block("over_quota", local("2026-12-01T00:00"))
    assert quota_block(local("2026-12-01T00:00")).until == local("2027-01-01T00:00")


# ---- stale sources


def test_what_rests_on_a_stale_source_waits_and_is_asked_again() -> None:
    assert verdict(intent(), stale=["shop"]) == Wait(NOON + 15 * MINUTE, "stale_data")


def test_what_waits_for_a_source_is_asked_by_the_hour_after_a_while() -> None:
    def again(waited: dt.timedelta) -> Instant:
        wait = verdict(intent(), now=NOON + waited, stale=["shop"])
        assert isinstance(wait, Wait)
        return wait.until

    assert again(7 * MINUTE) == again(14 * MINUTE) == NOON + 15 * MINUTE
    assert again(4 * HOUR - SECOND) == NOON + 4 * HOUR
    assert again(4 * HOUR) == again(4 * HOUR + 59 * MINUTE) == NOON + 5 * HOUR


def test_what_would_expire_before_it_is_asked_again_is_suppressed() -> None:
    assert verdict(intent(expires=15 * MINUTE), stale=["shop"]) == suppressed("stale_data")
    assert isinstance(verdict(intent(expires=15 * MINUTE + SECOND), stale=["shop"]), Wait)


def test_a_source_is_fresh_for_its_time_and_stale_if_never_heard_of() -> None:
    sources = {"shop": Source(3_600), "app": Source(60)}

    def stale(**heard: Instant) -> list[str]:
        return stale_sources(
            ["shop", "app", "unknown"], sources, Account(heard={**heard, "unknown": NOON}), NOON, "Asia/Tokyo"
        )

    assert stale() == ["shop", "app", "unknown"]
    assert stale(shop=NOON - HOUR + SECOND, app=NOON) == ["unknown"]
    assert stale(shop=NOON - HOUR, app=NOON - MINUTE) == ["shop", "app", "unknown"]


# ---- the list is closed


def test_every_reason_of_the_list_can_be_told_and_no_other() -> None:
    told = {name.partition(":")[0] for name, _ in BARRIERS}
    told |= set(get_args(BlockReason)) | {"erased"}  # a missing gate; the send flow's tests
    assert told == set(REFUSALS)


@pytest.mark.parametrize("reason", ["", "capped", "excluded:", "stopped:x", "because", "key_expired"])
def test_a_suppression_for_any_other_reason_is_a_fault(reason: str) -> None:
    with pytest.raises(ValueError, match="closed list"):
        Ended("suppressed", reason)


def test_what_line_answers_is_a_reason_of_failures_alone() -> None:
    assert Ended("failed", "http_400").reason == "http_400"


# ---- the order


@pytest.mark.parametrize(
    "first", range(len(BARRIERS)), ids=[f"{n} {name}" for n, (name, _) in enumerate(BARRIERS)]
)
def test_of_several_reasons_the_first_of_the_order_is_told(first: int) -> None:
    put = {key: value for _, parts in BARRIERS[first:] for key, value in parts.items()}
    made_at = put.pop("made_at", NOW - DAY)
    by = msgspec.structs.replace(BY, quiet_hours=put.pop("quiet_hours", None))
    around = {
        key: put.pop(key)
        for key in ("switched_off", "eligible", "confirmed", "holdout", "blocks", "stale")
        if key in put
    }
    refused = judge(
        intent(made_at=made_at), msgspec.structs.replace(linked_gate(), **put), by, situation(**around), NOW
    )
    assert isinstance(refused, Wait | Ended)
    assert refused.reason == BARRIERS[first][0]


def test_caps_are_asked_in_their_order() -> None:
    caps = [WEEKLY, Cap("daily", ["promotion"], 1, DAY_SECONDS, DAY_SECONDS)]
    gate = linked_gate(contacts=contacted(NOON - HOUR))
    assert verdict(intent(), gate, rules(caps=caps)) == suppressed("capped:weekly")
    assert verdict(intent(), gate, rules(caps=caps[::-1])) == Wait(NOON + 23 * HOUR, "capped:daily")
