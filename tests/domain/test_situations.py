"""What the gate is told of a customer and the account."""

from typing import Any

import msgspec
import pytest

from functions.domain import playbook as pb
from functions.domain.account import Account, Block
from functions.domain.arbitration import Upcoming
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer, new_customer
from functions.domain.journeys import Journey
from functions.domain.profiles import fold_all
from functions.domain.situations import situation_of, versions_needed
from functions.domain.verdicts import Situation
from tests.domain.strategies import (
    DAY,
    DICTIONARY,
    HAS_BOUGHT,
    HOUR,
    NOON,
    compiled,
    event,
    intent,
    scenario,
    send,
)
from tests.domain.verdicts import WEEKLY, promised

AHEAD: list[pb.Step] = [pb.WaitFor(86_400), send("later")]
OTHER = Journey("j2", "other", "v1", 1, NOON, "t", since=NOON)


def book(**more: Any) -> Compiled:
    scenarios = {"cart": scenario(send()), "other": scenario(*AHEAD, rank=1), **more.pop("scenarios", {})}
    return compiled(scenarios=scenarios, caps=[WEEKLY], **more)


NOTHING = Account()


def situation(
    current: Compiled, *, pinned: Compiled | None = None, account: Account = NOTHING, **of: Any
) -> Situation:
    customer = new_customer("c1", "U1", NOON, "link")
    customer = msgspec.structs.replace(customer, journeys=[OTHER], **of)
    return situation_of(intent(), customer, current, {"v1": pinned or current}, NOON, account)


def test_the_other_journeys_sends_are_foreseen() -> None:
    assert situation(book()).upcoming == promised(NOON + DAY)


def test_what_is_switched_off_or_held_out_is_not_foreseen() -> None:
    off = book(scenarios={"other": scenario(*AHEAD, rank=1, on=False)})
    held_out = book(scenarios={"other": scenario(*AHEAD, rank=1, holdout_percent=99.999)})
    assert [situation(one).upcoming for one in (off, held_out)] == [[], []]


def test_what_is_stopped_is_not_foreseen() -> None:
    def upcoming(block: Block) -> list[Upcoming]:
        return situation(book(), account=Account([block])).upcoming

    assert upcoming(Block("stopped", NOON + HOUR, "scenario:other")) == []
    for block in (
        Block("stopped", NOON, "scenario:other"),
        Block("stopped", NOON + HOUR, "scenario:another"),
        Block("stopped", NOON + HOUR, "scenario:other", ["support"]),
    ):
        assert upcoming(block) == promised(NOON + DAY)


def test_what_the_playbook_in_force_holds_out_is_not_foreseen_of_a_journey_of_an_older_version() -> None:
    now_out = book(scenarios={"other": scenario(*AHEAD, rank=1, holdout_percent=99.999)})
    gone = compiled(scenarios={"cart": scenario(send())}, caps=[WEEKLY])
    assert situation(now_out, pinned=book()).upcoming == []
    assert situation(book(), pinned=now_out).upcoming == promised(NOON + DAY)
    assert situation(gone, pinned=now_out).upcoming == []


def test_nothing_is_foreseen_for_what_no_cap_counts() -> None:
    coupons = msgspec.structs.replace(WEEKLY, categories=["coupon"])
    assert situation(changed(book(), caps=[coupons])).upcoming == []


def changed(current: Compiled, **more: Any) -> Compiled:
    return Compiled(msgspec.structs.replace(current.playbook, **more))


@pytest.mark.parametrize(
    ("kinds", "status", "excluded"),
    [
        (["promotion"], "confirmed", ["buyers"]),
        (["promotion"], "provisional", ["buyers"]),
        (["support"], "confirmed", []),
    ],
)
def test_rules_of_the_playbook_exclude_by_profile_and_kind(
    kinds: list[pb.Kind], status: Any, excluded: list[str]
) -> None:
    current = book(exclusion_rules={"buyers": pb.Exclusion(HAS_BOUGHT, kinds)})
    bought = fold_all([event(status=status)], DICTIONARY)
    assert situation(current, profile=bought).excluded == excluded
    assert situation(current).excluded == []


def needing(*needs: str) -> dict[str, Any]:
    return {"scenarios": {"cart": scenario(send(), needs=list(needs))}, "sources": {"shop": pb.Source(3_600)}}


def test_the_sources_that_the_scenario_in_force_needs_must_be_fresh() -> None:
    heard = Account(heard={"shop": NOON - HOUR + DAY / 86_400})
    assert situation(book(**needing("shop"))).stale == ["shop"]
    assert situation(book(**needing("shop")), account=heard).stale == []
    assert situation(book(), pinned=book(**needing("shop"))).stale == []
    assert situation(book(**needing("shop")), pinned=book()).stale == ["shop"]


def test_what_the_playbook_in_force_no_longer_has_goes_by_its_own() -> None:
    gone = changed(book(), scenarios={})
    assert situation(gone, pinned=book(**needing("shop"))).stale == ["shop"]


def test_a_scenarios_holdout_is_that_of_the_playbook_in_force_and_its_own_where_it_is_gone() -> None:
    everybody = book(scenarios={"cart": scenario(send(), holdout_percent=99.999)})
    assert situation(everybody, pinned=book()).holdout
    assert not situation(book(), pinned=everybody).holdout
    assert situation(changed(book(), scenarios={}), pinned=everybody).holdout


def test_the_blocks_of_the_account_are_handed_on() -> None:
    blocks = [Block("stopped", NOON + HOUR)]
    assert situation(book(), account=Account(blocks)).blocks == blocks


def test_only_the_blocks_that_concern_the_intent_are_handed_on() -> None:
    later = NOON + HOUR
    other_blocks = [
        Block("stopped", later, "scenario:other"),
        Block("stopped", NOON),
        Block("stopped", later, kinds=["support"]),
    ]
    mine = Block("stopped", later, "scenario:cart", ["promotion"])
    assert situation(book(), account=Account([*other_blocks, mine])).blocks == [mine]


def test_the_versions_of_the_intent_and_of_all_journeys_are_needed() -> None:
    journeys = [OTHER, msgspec.structs.replace(OTHER, version="v0", journey_id="j0")]
    assert versions_needed(intent(playbook="v2"), Customer("c1", journeys=journeys)) == {"v0", "v1", "v2"}
