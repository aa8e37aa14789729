"""Small forecasts, computed by hand."""

import datetime as dt

import msgspec
import pytest

from functions.domain.events import Event
from functions.domain.playbook import Cap, Holdout, Playbook, Price, Weekly
from ops.plan.course import Terms, course_of
from ops.plan.filed import assumed_link
from ops.plan.forecast import Assumed, Forecast, forecast_from
from ops.plan.lives import Held, Person
from ops.plan.tallies import Tally
from tests.fakes.playbooks import DAY_SECONDS, QUIET, campaign, days, from_segment, playbook, scenario, send
from tests.fakes.world import ACCOUNT, World, jst
from tests.ops.plan.worlds import PEOPLE, busy_book, counted, people_in, terms_in

START = jst(11, 2, 12)
FRIDAY_NOON = Weekly(4, dt.time(12, 0))


def bought(customer_id: str, at: dt.datetime, number: int = 1) -> Event:
    return Event(
        f"p-{customer_id}-{number}", customer_id, "purchase", at, properties={"order_id": f"o{number}"}
    )


def buyer(number: int, *, ahead: list[Event] | None = None) -> Person:
    name = f"c{number}"
    past = [msgspec.structs.replace(bought(name, START - dt.timedelta(days=90)), imported=True)]
    link = assumed_link(name, f"U{number}", ["marketing"])
    return Person(name, past=[link, *past], ahead=ahead or [], user=f"U{number}")


def terms(book: Playbook, *, ahead: int = 14) -> Terms:
    return Terms(book, [], {}, ACCOUNT, START, START + dt.timedelta(days=ahead))


def tally_of(book: Playbook, *people: Person, ahead: int = 14) -> Tally:
    [tally] = counted(people, terms(book, ahead=ahead))
    return tally


def test_a_weekly_campaign_reaches_every_buyer_every_friday() -> None:
    tally = tally_of(playbook(campaigns={"weekly": campaign("news", weekly=FRIDAY_NOON, segment="buyers")}), buyer(1), buyer(2))  # fmt: skip
    assert tally.sent == {
        ("2026-11-06", "weekly", "promotion"): 2,
        ("2026-11-13", "weekly", "promotion"): 2,
    }
    assert tally.targeted == {("2026-11-06", "weekly"): 2, ("2026-11-13", "weekly"): 2}


def test_a_cap_that_never_ends_in_time_suppresses_the_second_campaign() -> None:
    book = playbook(
        campaigns={
            "first": campaign("news", once=jst(11, 6, 12), hold_seconds_max=0),
            "second": campaign("offer", once=jst(11, 8, 12), hold_seconds_max=0),
        }
    )
    tally = tally_of(book, buyer(1))
    assert tally.sent == {("2026-11-06", "first", "promotion"): 1}
    assert tally.suppressed == {("2026-11-08", "second", "capped:promotion_weekly"): 1}


def test_what_a_cap_holds_is_sent_when_the_window_opens_and_counted_as_held_once() -> None:
    book = playbook(
        campaigns={
            "first": campaign("news", once=jst(11, 3, 12)),
            "second": campaign("offer", once=jst(11, 8, 12), hold_seconds_max=3 * DAY_SECONDS, expires_seconds=5 * DAY_SECONDS),
        }
    )  # fmt: skip
    tally = tally_of(book, buyer(1))
    assert tally.held == {("2026-11-08", "second", "capped:promotion_weekly"): 1}
    assert tally.sent["2026-11-10", "second", "promotion"] == 1


def test_a_message_of_the_night_is_held_and_leaves_in_the_morning() -> None:
    book = playbook(campaigns={"late": campaign("news", once=jst(11, 3, 23))}, quiet_hours=QUIET)
    tally = tally_of(book, buyer(1))
    assert tally.held == {("2026-11-03", "late", "quiet_hours"): 1}
    assert tally.sent == {("2026-11-04", "late", "promotion"): 1}


def test_a_campaign_yields_to_a_better_promotion_within_its_window() -> None:
    book = playbook(
        scenarios={"path": scenario("purchase", days(5), send("offer"), rank=20)},
        campaigns={"weekly": campaign("news", once=jst(11, 6, 12), hold_seconds_max=0)},
    )
    tally = tally_of(book, buyer(1, ahead=[bought("c1", jst(11, 3, 12), 2)]))
    assert tally.entered == {("2026-11-03", "path"): 1}
    assert tally.suppressed == {("2026-11-06", "weekly", "outranked"): 1}
    assert tally.sent == {("2026-11-08", "path", "promotion"): 1}


def test_who_is_held_out_is_counted_as_held_out() -> None:
    book = playbook(
        campaigns={"weekly": campaign("news", once=jst(11, 6, 12))}, holdout=Holdout(100, ["promotion"])
    )
    tally = tally_of(book, buyer(1))
    assert tally.suppressed == {("2026-11-06", "weekly", "holdout"): 1}


def test_entering_a_segment_by_time_alone_starts_its_scenario() -> None:
    path = from_segment("rested", send("tips"))
    tally = tally_of(
        playbook(scenarios={"path": path}, segments={"rested": "days_since(orders.last_at) >= 92"}), buyer(1)
    )
    assert tally.entered == {("2026-11-04", "path"): 1}
    assert tally.sent == {("2026-11-04", "path", "notification"): 1}


def test_what_still_waits_at_the_end_is_neither_sent_nor_suppressed() -> None:
    book = playbook(campaigns={"late": campaign("news", once=jst(11, 3, 23))}, quiet_hours=QUIET)
    [tally] = counted([buyer(1)], Terms(book, [], {}, ACCOUNT, START, jst(11, 4, 1)))
    assert tally.waiting == {("late",): 1}
    assert not tally.sent


def test_a_held_message_of_the_deployment_is_taken_over() -> None:
    world = World(busy_book())
    world.customer_with_line()
    world.timers.hold(world.intent("offer", source="second_purchase"), jst(11, 3, 9), world.now)
    [tally] = counted(people_in(world), terms_in(world, world.book, days_ahead=2))
    assert tally.targeted["2026-11-02", "second_purchase"] == 1
    assert tally.sent["2026-11-03", "second_purchase", "promotion"] == 1


def test_somebody_without_a_gate_gets_nothing() -> None:
    person = Person("c1", held=[Held(START, World(playbook()).intent())])
    known = msgspec.structs.replace(person, customer=people_in(_linked())[0].customer)
    tally = tally_of(playbook(scenarios={"path": scenario("purchase", send("offer"))}), known)
    assert tally.suppressed == {("2026-11-02", "path", "erased"): 1}


def _linked() -> World:
    world = World(playbook())
    world.ingest(world.purchase("c1"))
    world.run()
    return world


def test_the_accounts_of_every_source_close() -> None:
    for source in busy_forecast().sources:
        ended = source.sent_in_all + sum(source.suppressed.values()) + source.waiting
        assert source.targeted == ended
    assert sum(source.targeted for source in busy_forecast().sources)


def busy_forecast() -> Forecast:
    book = busy_book()
    people = [buyer(number, ahead=[bought(f"c{number}", START + dt.timedelta(hours=7 * number), 2)]) for number in range(PEOPLE)]  # fmt: skip
    [tally] = counted(people, terms(book))
    return forecast_from(course_of(terms(book)), tally, Assumed())


@pytest.mark.parametrize("workers", [2, 3])
def test_many_processes_count_what_one_counts(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.plan.workers.CHUNK", 5)
    people, both = [buyer(number) for number in range(PEOPLE)], (terms(busy_book()), terms(playbook()))
    assert counted(people, *both, workers=workers) == counted(people, *both)


def test_sizes_are_counted_at_the_beginning_and_at_the_end() -> None:
    book = playbook(segments={"quiet": "days_since(orders.last_at) >= 100"})
    tally = tally_of(book, buyer(1), buyer(2), Person("c3"))
    assert (tally.size["quiet",], tally.size_after["quiet",]) == (0, 2)
    assert (tally.size["buyers",], tally.size["everybody",]) == (2, 3)


def test_contacts_of_the_month_count_towards_its_quota() -> None:
    world = World(playbook(scenarios={"path": scenario("purchase", send("offer"))}), start=jst(11, 2, 12))
    world.customer_with_line()
    world.enqueue(world.intent("offer"))
    world.run()
    world.now = jst(11, 20, 12)
    price = Price(plan_yen=1000, free_messages=1, yen_each=3, messages_max=1, yen_max=1002)
    book = msgspec.structs.replace(
        playbook(campaigns={"next": campaign("news", once=jst(11, 25, 12))}), price=price
    )
    ahead = terms_in(world, book, days_ahead=7)
    [tally] = counted(people_in(world), ahead)
    [month] = forecast_from(course_of(ahead), tally, Assumed()).months
    assert (month.month, month.before, month.ahead, month.paid, month.yen) == ("2026-11", 1, 1, 1, 1003)
    assert month.over == ["messages_max", "yen_max"]


def test_no_more_is_asked_of_a_cap_than_its_kinds() -> None:
    caps = [Cap("support_daily", ["support"], 1, DAY_SECONDS)]
    book = playbook(campaigns={"weekly": campaign("news", weekly=FRIDAY_NOON)}, caps=caps)
    tally = tally_of(book, buyer(1))
    [caution] = forecast_from(course_of(terms(book)), tally, Assumed()).cautions[-1:]
    assert (caution.code, caution.about) == ("cap_never_reached", "support_daily")


def test_a_withdrawal_in_the_file_beats_the_consent_that_is_taken_for_granted() -> None:
    withdrawn = Event(
        "w", "c1", "consent_withdrawn", START - dt.timedelta(days=1), properties={"purpose": "marketing"}
    )
    person = msgspec.structs.replace(buyer(1), past=[*buyer(1).past, withdrawn])
    tally = tally_of(playbook(campaigns={"weekly": campaign("news", weekly=FRIDAY_NOON)}), person, ahead=7)
    assert tally.suppressed == {("2026-11-06", "weekly", "no_consent"): 1}
