"""9. A fixed UTC offset for quiet hours; calendar-day caps that allow 23:00 and 00:00."""

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec
import pytest

from functions.domain.playbook import Cap
from tests.fakes.playbooks import DAY_SECONDS, QUIET, playbook, scenario, send
from tests.fakes.world import World, jst

PATH = {"path": scenario("cart_left", send("tips"))}
UTC = dt.UTC
DAILY = Cap("daily", ["notification"], 1, DAY_SECONDS, 2 * DAY_SECONDS)


def living_in(zone: str, start: dt.datetime) -> World:
    """Somebody whom the CRM knows to live there; the account itself is in Tokyo."""
    world = World(playbook(scenarios=PATH, quiet_hours=QUIET), start=start)
    world.customer_with_line()
    world.ingest(world.event("profile_updated", "c1", zone=zone))
    world.run()
    return world


@pytest.mark.parametrize(
    ("zone", "evening", "morning"),
    [
        # Summer time begins on 29 March 2026: that night's seven o'clock is an hour earlier in UTC than the last.
        ("Europe/Berlin", dt.datetime(2026, 3, 27, 22, tzinfo=UTC), dt.datetime(2026, 3, 28, 6, tzinfo=UTC)),
        ("Europe/Berlin", dt.datetime(2026, 3, 28, 22, tzinfo=UTC), dt.datetime(2026, 3, 29, 5, tzinfo=UTC)),
        # It ends on 25 October.
        (
            "Europe/Berlin",
            dt.datetime(2026, 10, 23, 22, tzinfo=UTC),
            dt.datetime(2026, 10, 24, 5, tzinfo=UTC),
        ),
        (
            "Europe/Berlin",
            dt.datetime(2026, 10, 24, 22, tzinfo=UTC),
            dt.datetime(2026, 10, 25, 6, tzinfo=UTC),
        ),
        ("America/New_York", dt.datetime(2026, 3, 8, 3, tzinfo=UTC), dt.datetime(2026, 3, 8, 11, tzinfo=UTC)),
        ("Asia/Tokyo", dt.datetime(2026, 3, 28, 13, tzinfo=UTC), dt.datetime(2026, 3, 28, 22, tzinfo=UTC)),
    ],
)
def test_quiet_hours_are_those_of_the_persons_own_zone_on_that_very_day(
    zone: str, evening: dt.datetime, morning: dt.datetime
) -> None:
    """line-harness and others: quiet hours by a fixed offset (+09:00) ring an hour early after a change of the clock,
    and in the middle of the night of whoever lives elsewhere."""
    world = living_in(zone, evening - dt.timedelta(hours=12))
    world.advance(to=evening)
    world.enqueue(world.intent("tips"))
    world.advance(hours=20)
    (push,) = world.line.pushes
    assert push.at == morning
    assert push.at.astimezone(ZoneInfo(zone)).time() == dt.time(7)


def test_a_daily_limit_does_not_let_23_00_and_00_00_through() -> None:
    """Braze: a cap by calendar day allows one message at 23:00 and another at 00:00, an hour apart."""
    world = World(playbook(scenarios=PATH, caps=[DAILY]))
    world.customer_with_line()
    world.advance(to=jst(11, 2, 23))
    world.enqueue(world.intent("tips"))
    world.advance(to=jst(11, 3, 0))
    world.enqueue(world.intent("reminder"))
    world.advance(days=3)
    assert [(push.texts[0], push.at) for push in world.line.pushes] == [
        ("tips", jst(11, 2, 23)),
        ("reminder", jst(11, 3, 23)),
    ]


@pytest.mark.parametrize("minutes", [1, 60, 600, 1439, 1440])
def test_no_window_of_a_day_ever_holds_two_wherever_it_begins(minutes: int) -> None:
    """Braze: the count starts anew at midnight, so that the worst day of 24 hours holds twice the limit."""
    world = World(playbook(scenarios=PATH, caps=[msgspec.structs.replace(DAILY, hold_seconds_max=0)]))
    world.customer_with_line()
    world.advance(to=jst(11, 2, 23, 59))
    world.enqueue(world.intent("tips"))
    world.advance(minutes=minutes)
    world.enqueue(world.intent("reminder"))
    world.advance(minutes=1)
    assert len(world.line.pushes) == (2 if minutes >= 1440 else 1)
