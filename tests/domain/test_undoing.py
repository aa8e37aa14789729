"""Two that were one for a while and never should have been: what each of them goes on with."""

import datetime as dt

import msgspec
import pytest

from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.gate import Gate, new_gate
from functions.domain.identity import Tied, tie
from functions.domain.instants import Instant
from functions.domain.journeys import Journey, ended, entered
from functions.domain.undoing import Histories, disowned, keepsake_of, undone
from tests.domain.strategies import DAY, HOUR, NOON, event
from tests.fakes.playbooks import scenario, send

FRIEND = "anon:U1"


def journey(customer_id: str, at: Instant = NOON, name: str = "welcome") -> Journey:
    return entered(name, "v1", customer_id, [], event(at=at, event_id=f"e-{customer_id}"))


def sides(mine: list[Journey], friends: list[Journey]) -> Tied:
    return Tied(
        Customer("c1", journeys=mine),
        Customer(FRIEND, journeys=friends),
        Gate("c1"),
        new_gate(FRIEND, "U1", NOON, ""),
    )


def said(name: str, at: Instant) -> Event:
    told = event(name, f"{name}-1", at, line_user_id="U1")
    return msgspec.structs.replace(told, customer_id="c1")


# --- at a tie: nobody goes where the other has been


@pytest.mark.parametrize(
    ("reentry_seconds", "status"), [(None, "exited"), (3601, "exited"), (3600, "active"), (0, "active")]
)
@pytest.mark.parametrize("runs", ["customer", "friend"])
@pytest.mark.parametrize("later", ["running", "over"])
def test_at_a_tie_nobody_goes_on_where_the_other_has_been_but_for_the_reentry_rule(
    reentry_seconds: int | None, status: str, runs: str, later: str
) -> None:
    first, second = NOON, NOON + HOUR
    running_at, over_at = (second, first) if later == "running" else (first, second)
    ids = ("c1", FRIEND) if runs == "customer" else (FRIEND, "c1")
    running, over = journey(ids[0], running_at), ended(journey(ids[1], over_at), "done", NOON + DAY)
    before = sides([running], [over]) if runs == "customer" else sides([over], [running])
    book = {"welcome": scenario("line_follow", send("welcome"), reentry_seconds=reentry_seconds)}
    found = {
        one.journey_id: one for one in tie(before, said("line_linked", NOON + DAY), book).customer.journeys
    }
    assert found[over.journey_id] == over
    assert found[running.journey_id].status == status
    assert found[running.journey_id].ended_at == (NOON + DAY if status == "exited" else None)


def test_at_a_tie_a_journey_through_another_scenario_goes_on() -> None:
    running, over = journey("c1"), ended(journey(FRIEND, name="cart"), "done", NOON)
    book = {
        name: scenario("line_follow", send("welcome"), reentry_seconds=None) for name in ("welcome", "cart")
    }
    tied = tie(sides([running], [over]), said("line_linked", NOON + DAY), book)
    assert [one.status for one in tied.customer.journeys] == ["active", "done"]


def test_at_a_tie_a_scenario_that_is_no_more_forbids_nothing() -> None:
    running, over = journey("c1"), ended(journey(FRIEND), "done", NOON)
    tied = tie(sides([running], [over]), said("line_linked", NOON + DAY), {})
    assert [one.status for one in tied.customer.journeys] == ["active", "done"]


# --- after an undo


def parted(before: Tied, journeys: list[Journey]) -> Tied:
    """Tied at noon, the journeys as they are a day later, and undone then."""
    linked, undo = said("line_linked", NOON), said("line_unlinked", NOON + DAY)
    kept, tied = keepsake_of(before, linked), tie(before, linked)
    customer = msgspec.structs.replace(tied.customer, journeys=journeys)
    customer = disowned(customer, "U1", None, undo.occurred_at)
    return undone(msgspec.structs.replace(tied, customer=customer), kept, Histories([], []), undo)


def test_a_journey_that_the_tie_ended_goes_on_where_the_customers_has_come_to() -> None:
    mine, friends = journey("c1"), journey(FRIEND, NOON - HOUR)
    friends = msgspec.structs.replace(friends, sent=["hello"], due=NOON + HOUR)
    moved = msgspec.structs.replace(
        mine, at=2, due=NOON + 3 * DAY, sent=["welcome", "tips"], since=NOON + HOUR
    )
    after = parted(sides([mine], [friends]), [moved])
    (its,) = after.friend.journeys
    assert (its.journey_id, its.entered_at, its.trigger) == (
        friends.journey_id,
        friends.entered_at,
        friends.trigger,
    )
    assert (its.at, its.due, its.since) == (2, NOON + 3 * DAY, NOON + HOUR)
    assert its.sent == ["hello", "welcome", "tips"]
    assert [one.journey_id for one in after.customer.journeys] == [mine.journey_id]


@pytest.mark.parametrize("how", ["done", "exited", "goal", "expired"])
def test_a_journey_that_the_tie_ended_is_over_where_the_customers_is(how: str) -> None:
    mine, friends = journey("c1"), journey(FRIEND, NOON - HOUR)
    over = ended(mine, how, NOON + HOUR)  # type: ignore[arg-type]
    (its,) = parted(sides([mine], [friends]), [over]).friend.journeys
    assert (its.journey_id, its.status, its.ended_at) == (friends.journey_id, how, NOON + HOUR)


def test_a_journey_that_the_tie_ended_is_over_where_nobody_remembers_the_customers() -> None:
    mine = journey("c1")
    friends = msgspec.structs.replace(journey(FRIEND, NOON - HOUR), due=NOON + HOUR, awaits="purchase")
    (its,) = parted(sides([mine], [friends]), []).friend.journeys
    assert (its.journey_id, its.status, its.due, its.awaits) == (friends.journey_id, "done", None, "")


def test_a_journey_that_was_over_before_the_tie_stays_as_it_was() -> None:
    mine, friends = journey("c1"), ended(journey(FRIEND, NOON - HOUR), "done", NOON)
    moved = msgspec.structs.replace(mine, at=1, sent=["welcome"])
    after = parted(sides([mine], [friends]), [moved, friends])
    assert after.friend.journeys == [friends]
    assert after.customer.journeys[0].at == 1


def test_a_journey_of_the_friends_that_went_on_under_the_customer_goes_on_from_there() -> None:
    friends = journey(FRIEND)
    moved = msgspec.structs.replace(friends, at=1, sent=["welcome"], due=NOON + 2 * DAY)
    after = parted(sides([], [friends]), [moved])
    assert after.customer.journeys == []
    (its,) = after.friend.journeys
    assert (its.at, its.sent, its.due) == (1, ["welcome"], NOON + 2 * DAY)
    assert its.asked_from == NOON + DAY


def test_a_journey_of_the_customers_own_that_only_the_tie_ended_goes_on() -> None:
    mine = msgspec.structs.replace(journey("c1"), at=1, sent=["welcome"], due=NOON + dt.timedelta(days=2))
    over = ended(mine, "exited", NOON)
    after = parted(sides([mine], []), [over])
    assert [(one.status, one.at, one.due) for one in after.customer.journeys] == [("active", 1, mine.due)]
