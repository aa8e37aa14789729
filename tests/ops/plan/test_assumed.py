"""Who a file says there is, and what is assumed to come."""

import datetime as dt
from collections.abc import Sequence

from functions.domain.events import Amendment, Event, EventType, PropertyType
from ops.plan.assumed import Replay, with_assumed
from ops.plan.filed import people_of, users_of
from ops.plan.lives import Person
from tests.fakes.playbooks import EVENTS, playbook, scenario, send
from tests.fakes.world import jst
from tests.ops.plan.test_counts import START, bought, buyer, tally_of

DAY = dt.timedelta(days=1)


def linked(customer_id: str, user: str, at: dt.datetime, name: str = "line_linked") -> Event:
    properties = {"line_user_id": user, "consent": ["marketing"]}
    return Event(f"{name}-{customer_id}-{user}", customer_id, name, at, properties=properties)


def replayed(
    person: Person, lately: Sequence[Event], *, newcomer: bool, days: int = 14, ahead: int = 28
) -> list[Person]:
    replay = Replay(days, START, START + ahead * DAY, EVENTS)
    return list(replay.of(person, lately, newcomer=newcomer))


def test_a_line_user_whom_two_customers_claim_stays_with_the_first() -> None:
    past = {"c1": [linked("c1", "U1", START)], "c2": [linked("c2", "U1", START + DAY)]}
    assert users_of(past) == {"c1": "U1"}


def test_an_ended_tie_is_none() -> None:
    events = [linked("c1", "U1", START), linked("c1", "U1", START + DAY, "line_unlinked")]
    assert users_of({"c1": events}) == {}


def test_linked_ties_everybody_and_gives_every_purpose() -> None:
    [person] = people_of({"c1": [bought("c1", START)]}, playbook(), linked=True)
    assert person.user.startswith("U")
    assert person.past[0].properties["consent"] == ["marketing"]
    [plain] = people_of({"c1": [bought("c1", START)]}, playbook(), linked=False)
    assert (plain.user, len(plain.past)) == ("", 1)


def test_the_past_of_a_file_is_history_and_starts_nothing() -> None:
    book = playbook(scenarios={"path": scenario("purchase", send("thanks"))})
    people = list(people_of({"c1": [bought("c1", START - dt.timedelta(hours=1))]}, book, linked=True))
    assert not tally_of(book, *people).entered


def test_what_somebody_of_old_did_comes_again_shifted_as_often_as_it_fits() -> None:
    event = bought("c1", START - DAY)
    [person] = replayed(buyer(1), [event], newcomer=False)
    assert [one.occurred_at for one in person.ahead] == [START + 13 * DAY, START + 27 * DAY]
    assert len({one.event_id for one in [event, *person.ahead]}) == 3
    assert person.customer_id == "c1"


def test_somebody_who_was_new_comes_again_as_somebody_new() -> None:
    was = buyer(1)
    people = replayed(was, [bought("c1", START - DAY)], newcomer=True)
    assert people[0] == was
    assert [(one.customer_id, one.user, len(one.ahead)) for one in people[1:]] == [
        ("c1+1", "U1+1", 1),
        ("c1+2", "U1+2", 1),
    ]
    book = playbook(scenarios={"path": scenario("purchase", send("offer"), entry_when="orders.count == 1")})
    tally = tally_of(book, *people, ahead=28)
    assert sum(tally.sent.values()) == 2


def test_what_lies_before_the_days_or_beyond_the_end_does_not_come_again() -> None:
    old, late = bought("c1", START - 15 * DAY), bought("c1", START - dt.timedelta(hours=1), 2)
    [person] = replayed(buyer(1), [old, late], newcomer=False, ahead=13)
    assert person.ahead == []
    [same] = replayed(buyer(1), [old], newcomer=False)
    assert same == buyer(1)


def test_what_takes_an_order_back_takes_back_the_one_that_came_again() -> None:
    returned = EventType(
        "taken back",
        amends=Amendment("purchase", "order_id"),
        properties={"order_id": PropertyType("string")},
    )
    replay = Replay(14, START, START + 14 * DAY, {**EVENTS, "returned": returned})
    back = Event("r1", "c1", "returned", START - DAY, properties={"order_id": "o1"})
    [person] = replay.of(buyer(1), [bought("c1", START - 2 * DAY), back], newcomer=False)
    assert [one.properties["order_id"] for one in person.ahead] == ["o1+1", "o1+1"]


def test_expected_events_reach_whom_they_name_and_whom_nobody_knows() -> None:
    ahead = {"c1": [bought("c1", jst(11, 4), 2)], "c9": [bought("c9", jst(11, 5))]}
    people = list(with_assumed([buyer(1), buyer(2)], ahead, Person))
    assert [(one.customer_id, len(one.ahead)) for one in people] == [("c1", 1), ("c2", 0), ("c9", 1)]


def test_somebody_who_links_meanwhile_can_be_reached_from_then_on() -> None:
    book = playbook(scenarios={"path": scenario("purchase", send("offer"))})
    stranger = Person("c9", ahead=[linked("c9", "U9", jst(11, 3)), bought("c9", jst(11, 4))])
    assert tally_of(book, stranger).sent == {("2026-11-04", "path", "promotion"): 1}
    left = Person("c9", ahead=[*stranger.ahead[:1], linked("c9", "U9", jst(11, 3, 12), "line_unlinked"), *stranger.ahead[1:]])  # fmt: skip
    assert tally_of(book, left).suppressed == {("2026-11-04", "path", "unreachable"): 1}
