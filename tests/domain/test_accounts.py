"""The accounts, and when a campaign run is finished."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.accounts import (
    Accounts,
    Frozen,
    Names,
    accounts_from,
    missing_of_run,
    state_of_run,
)
from functions.domain.sends import send_id_of

IDS = [send_id_of("main", "weekly@x", "", "weekly", f"U{number}", "1") for number in range(6)]


def names(*send_ids: str) -> Names:
    found = Names()
    for send_id in send_ids:
        found = found.with_name(send_id)
    return found


WHOLE = Frozen(names(*IDS), pages=3, enqueued=3, segments=2, open_segments=0)


def with_ends(count: int) -> Accounts:
    return accounts_from(len(IDS), {("sent", ""): count})


def test_what_has_no_end_is_pending_and_the_sum_balances() -> None:
    ends = {("sent", ""): 3, ("suppressed", "capped:weekly"): 2, ("failed", ""): 1, ("unknown", ""): 1}
    one = accounts_from(10, ends)  # type: ignore[arg-type]
    assert one == Accounts(10, 3, {"capped:weekly": 2}, 1, 1, 3)
    assert one.ended + one.pending == one.targeted
    assert not one.is_closed
    assert accounts_from(7, ends).is_closed  # type: ignore[arg-type]


@given(st.permutations(IDS))
def test_a_set_of_messages_is_the_same_in_any_order(ids: list[str]) -> None:
    assert names(*ids) == names(*IDS)


@given(st.sets(st.integers(0, 200), max_size=20), st.sets(st.integers(0, 200), max_size=20))
def test_two_sets_are_equal_only_where_they_have_the_same_messages(left: set[int], right: set[int]) -> None:
    both = [
        names(*(send_id_of("main", "r", "", "r", f"U{number}", "1") for number in side))
        for side in (left, right)
    ]
    assert (both[0] == both[1]) == (left == right)


def test_a_run_is_finished_when_everybody_on_its_list_has_ended() -> None:
    assert state_of_run(WHOLE, 0) == "finished"
    assert missing_of_run(WHOLE, with_ends(6), WHOLE.names) == []


@pytest.mark.parametrize(
    ("change", "state", "told"),
    [
        (
            {"open_segments": 1},
            "freezing",
            "1 of 2 scan segments are not frozen to their end: 6 are targeted at least",
        ),
        ({"awaits_approval": True, "enqueued": 0}, "waiting for approval", "nobody has approved it"),
        ({"enqueued": 2}, "enqueueing", "1 of 3 pages are not enqueued"),
        ({}, "running", "2 on its list have no end"),
    ],
)
def test_a_run_says_what_it_lacks(change: dict[str, object], state: str, told: str) -> None:
    frozen = msgspec.structs.replace(WHOLE, **change)
    assert state_of_run(frozen, 2) == state
    assert told in missing_of_run(frozen, with_ends(4), names(*IDS[:4]))


def test_a_page_that_is_not_enqueued_keeps_a_run_open_though_nobody_is_pending() -> None:
    frozen = msgspec.structs.replace(WHOLE, enqueued=2)
    assert state_of_run(frozen, 0) == "enqueueing"
    assert missing_of_run(frozen, with_ends(6), WHOLE.names)


def test_the_end_of_somebody_else_does_not_make_up_for_one_who_was_left_out() -> None:
    """peers.md 6: the numbers are right, and a person was missed."""
    stranger = send_id_of("main", "weekly@x", "", "weekly", "U999", "1")
    ended = names(*IDS[:5], stranger)
    assert missing_of_run(WHOLE, with_ends(6), ended) == [
        "the send log has ends of messages that are not on its list"
    ]
