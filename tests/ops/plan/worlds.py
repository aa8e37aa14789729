"""The same customers in the fakes' world and in a forecast."""

import datetime as dt
import random
from collections import Counter
from collections.abc import Sequence

import msgspec

from functions.domain.customers import Customer
from functions.domain.events import Event
from functions.domain.instants import parse_instant
from functions.domain.playbook import (
    Experiment,
    Goto,
    Holdout,
    Playbook,
    QuietHours,
    RichMenu,
    SetTag,
    Split,
    WaitUntil,
    Weekly,
)
from ops.plan.course import Terms
from ops.plan.lives import Held, Person
from ops.plan.tallies import Tally
from ops.plan.workers import forecast
from tests.fakes.playbooks import (
    DAY_SECONDS,
    ONE_PROMOTION_A_WEEK,
    QUIET,
    campaign,
    days,
    evening_of_day,
    from_segment,
    playbook,
    scenario,
    send,
    when,
)
from tests.fakes.world import ACCOUNT, JST, World

PEOPLE = 24


def busy_book(*, quiet: QuietHours | None = QUIET) -> Playbook:
    """Scenarios and campaigns that fight for the same slot, over nights."""
    return playbook(
        scenarios={
            "second_purchase": scenario(
                "purchase",
                days(1),
                send("thanks"),
                days(2.4),
                send("tips"),
                evening_of_day(7),
                send("offer", hold_days=4),
                evening_of_day(12),
                send("coupon", hold_days=4),
                rank=20,
                exit_when="orders.count >= 3",
                reentry_seconds=10 * DAY_SECONDS,
            ),
            "resting": from_segment("resting", send("news", hold_days=2), days(3), send("care"), reentry_seconds=5 * DAY_SECONDS),
            "toned": msgspec.structs.replace(
                scenario(
                    "purchase",
                    Split("tone", [("plain", 1), ("warm", 3)]),
                    send("tips"),
                    Goto(5),
                    days(1.5),
                    send("reminder"),
                    SetTag("toned"),
                    WaitUntil(when("orders.count >= 2"), 4 * DAY_SECONDS, 8, 7),
                    send("news", hold_days=1),
                    RichMenu("thanks"),
                    rank=25,
                    reentry_seconds=2 * DAY_SECONDS,
                ),
                not_with=["carts"],
                replaces=["resting"],
                holdout_percent=20.0,
            ),
            "back": from_segment("resting", send("tips"), on="left"),
            "carts": scenario(
                "cart_left", days(0.125), send("reminder"), days(1), send("news"), rank=30, reentry_seconds=DAY_SECONDS
            ),
        },
        campaigns={
            "weekly": campaign("news", weekly=Weekly(4, dt.time(12, 0)), segment="buyers", hold_seconds_max=3_600),
            "tuesday": campaign(
                "coupon", weekly=Weekly(1, dt.time(23, 30)), rank=60, hold_seconds_max=3 * DAY_SECONDS,
                expires_seconds=4 * DAY_SECONDS,
            ),
        },
        experiments={"tone": Experiment("appeal", {"plain": 1, "warm": 1})},
        holdout=Holdout(15, ["promotion"]),
        segments={"resting": "days_since(orders.last_at) >= 6"},
        caps=[ONE_PROMOTION_A_WEEK],
        quiet_hours=quiet,
    )  # fmt: skip


def people_in(world: World) -> list[Person]:
    """Everybody as they stand in the world now."""
    held: dict[str, list[Held]] = {}
    for until, intent in world.timers.held:
        held.setdefault(intent.customer_id, []).append(Held(until, intent))
    found = []
    for name in sorted(world.customers.customer_bodies):
        customer: Customer | None = world.customers.load(name)
        assert customer is not None
        found.append(Person(name, customer, world.customers.load_gate(name), held.get(name, [])))
    return found


def terms_in(world: World, book: Playbook, *, days_ahead: float) -> Terms:
    """The coming days under a playbook."""
    return Terms(book, [], {}, ACCOUNT, world.now, world.now + dt.timedelta(days=days_ahead))


def counted(people: Sequence[Person], *terms: Terms, workers: int = 1) -> list[Tally]:
    """The counts."""
    return forecast(people, terms, workers, lambda _done: None)


def lived(world: World, dice: random.Random, *, days_back: int) -> None:
    """People come in, link, buy, leave carts, withdraw, complain, while the world goes on."""
    for number in range(PEOPLE):
        name = f"c{number}"
        world.befriend(f"U{number}")
        if dice.random() < 0.8:
            world.ingest(world.linked(name, f"U{number}"))
    for _ in range(PEOPLE * 2):
        world.advance(hours=days_back * 24 / (PEOPLE * 2) * dice.uniform(0.3, 1.7))
        world.ingest(some_event(world, dice))
        world.run()


def some_event(world: World, dice: random.Random) -> dict[str, object]:
    """An event of somebody, now."""
    name = f"c{dice.randrange(PEOPLE)}"
    match dice.randrange(40):
        case 0:
            return world.event("complaint_opened", name, case_id="x")
        case 1:
            return world.event("consent_withdrawn", name, purpose="marketing")
        case 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11:
            return world.event("cart_left", name)
        case _:
            return world.purchase(name)


def ends_by_day(world: World, since: int) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]]]:
    """What the send log says from its `since`-th line on: sent by (day, source, kind), the rest by (day, source, reason)."""
    sent: Counter[tuple[str, ...]] = Counter()
    suppressed: Counter[tuple[str, ...]] = Counter()
    for record in world.records()[since:]:
        day = record.at.astimezone(JST).date().isoformat()
        source = record.scenario or record.campaign
        if record.status == "sent":
            sent[day, source, record.kind] += 1
        else:
            suppressed[day, source, record.reason] += 1
    return sent, suppressed


def as_event(raw: dict[str, object]) -> Event:
    """A raw event of the contract as a value."""
    return Event(
        str(raw["event_id"]),
        str(raw["customer_id"]),
        str(raw["name"]),
        parse_instant(str(raw["occurred_at"])),
        properties=raw["properties"],  # type: ignore[arg-type]
    )
