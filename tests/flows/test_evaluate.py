"""Campaign runs: a frozen list, everyone once, nobody skipped, and accounts that close."""

import collections
import dataclasses
import datetime as dt
import functools
import itertools
from collections.abc import Iterator
from unittest import mock

import pytest

from functions.aws.queues import decode_order
from functions.domain.campaigns import Chunk, Run
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.playbook import Campaign, Playbook, Weekly
from functions.domain.sends import Intent
from functions.ports.errors import Retryable
from tests.fakes.crashes import crash_everywhere
from tests.fakes.lockstep import side_by_side
from tests.fakes.objects import FakeAudience, FakePlaybooks
from tests.fakes.playbooks import DAY_SECONDS, EVENING, campaign, days, playbook, scenario, send
from tests.fakes.world import World, jst

AT = jst(11, 4, 19)
ONCE = playbook(campaigns={"winter": campaign("news", once=AT)})
WEEKLY = playbook(campaigns={"weekly": campaign("news", weekly=Weekly(2, EVENING))})
PEOPLE = 9


def fresh(book: Playbook = ONCE, people: int = PEOPLE) -> World:
    """So many linked friends who agreed to marketing; the campaign's hour is Wednesday, 19:00."""
    world = World(book)
    for number in range(people):
        world.customer_with_line(f"c{number}", f"U{number}")
    return world


def at_its_hour(book: Playbook = ONCE) -> World:
    world = fresh(book)
    world.now = AT
    return world


def everyone(world: World, people: int = PEOPLE) -> list[list[str]]:
    return [world.line.copies(f"U{number}") for number in range(people)]


def waiting(world: World) -> list[Intent]:
    return [
        order
        for message in world.send_queue.waiting
        if isinstance(order := decode_order(message.body), Intent)
    ]


def run_once(world: World, occurrence: dt.datetime = AT, name: str = "winter") -> None:
    world.evaluation.run(name, occurrence, world.time_left)


def test_everyone_in_the_segment_gets_the_message_once_at_its_hour() -> None:
    world = fresh()
    world.advance(days=7)
    assert everyone(world) == [["news"]] * PEOPLE
    assert {push.at for push in world.line.pushes} == {AT}
    assert list(world.runs.targeted.values()) == [PEOPLE]
    assert [end[1] for end in world.ends()] == ["sent"] * PEOPLE


def test_the_same_order_again_sends_nothing_again() -> None:
    world = fresh()
    world.advance(days=3)
    run_once(world)
    run_once(world)
    world.run()
    assert everyone(world) == [["news"]] * PEOPLE


def test_a_crash_at_any_call_skips_nobody_and_doubles_nobody() -> None:
    def act(world: World) -> None:
        world.fire()

    def check(world: World) -> None:
        assert everyone(world) == [["news"]] * PEOPLE
        assert len(world.records()) == next(iter(world.runs.targeted.values())) == PEOPLE
        assert world.dead() == []

    assert crash_everywhere(at_its_hour, act, check) > 150


def test_two_runs_side_by_side_make_the_same_intents() -> None:
    for schedule in itertools.product((0, 1), repeat=8):
        world = at_its_hour()
        task = functools.partial(run_once, world)
        assert side_by_side(world.tap, schedule * 6, task, task) == [None, None]
        intents = collections.Counter(intent.send_id for intent in waiting(world))
        assert len(intents) == PEOPLE
        assert (
            len({(intent.send_id, intent.made_at, intent.expires_at) for intent in waiting(world)}) == PEOPLE
        )
        world.run()
        assert everyone(world) == [["news"]] * PEOPLE


def test_two_runs_side_by_side_over_a_changing_audience_keep_one_list() -> None:
    """The second run sees a customer who appeared meanwhile; the list that was frozen first holds."""
    for point in range(60):
        world = at_its_hour()
        world.tap.once(point, functools.partial(_newcomer_then_run, world))
        run_once(world)
        world.tap.watch(None)
        world.run()
        (targeted,) = world.runs.targeted.values()
        sent = [user for user in (f"U{n}" for n in range(PEOPLE + 1)) if world.line.copies(user)]
        assert len(sent) == targeted == len(world.records()), f"at point {point}"
        assert all(len(copies) <= 1 for copies in everyone(world, PEOPLE + 1))


def _newcomer_then_run(world: World) -> None:
    world.customer_with_line(f"c{PEOPLE}", f"U{PEOPLE}")
    run_once(world)


def test_a_page_is_checkpointed_only_when_the_queue_has_taken_all_of_it() -> None:
    world = at_its_hour()
    world.send_queue.refuses = lambda position: position == 0
    with pytest.raises(Retryable):
        run_once(world)
    assert [page for page in world.runs.enqueued if page in with_recipients(world)] == []
    run_once(world)
    world.run()
    assert everyone(world) == [["news"]] * PEOPLE


def test_a_checkpoint_is_never_written_before_the_queues_answer() -> None:
    world = at_its_hour()
    enqueued: list[int] = []

    def note(_number: int, name: str, side: str) -> None:
        if name == "runs.checkpoint" and side == "after":
            enqueued.append(len(world.send_queue.waiting))

    world.tap.watch(note)
    run_once(world)
    counts = [len(chunk.recipients) for chunk in chunks(world)]
    assert enqueued == list(itertools.accumulate(counts))


def with_recipients(world: World) -> list[str]:
    run = Run("winter", AT, world.book.version, world.now, 4)
    pages = itertools.product(range(run.scan_segments), range(PEOPLE))
    found = [
        (f"{run.source}/{segment}/{number}", world.runs.chunk(run, segment, number))
        for segment, number in pages
    ]
    return [name for name, chunk in found if chunk and chunk.recipients]


def chunks(world: World) -> Iterator[Chunk]:
    """The frozen pages, in order."""
    run = world.runs.freeze_run(Run("winter", AT, world.book.version, world.now, 4))
    for segment, number in itertools.product(range(run.scan_segments), range(PEOPLE)):
        chunk = world.runs.chunk(run, segment, number)
        if chunk is not None:
            yield chunk


@pytest.mark.parametrize("calls", range(1, 12))
def test_an_invocation_that_runs_out_of_time_hands_over_and_the_next_goes_on(calls: int) -> None:
    world = at_its_hour()
    left = itertools.chain(itertools.repeat(900.0, calls), itertools.repeat(0.0))
    world.evaluation.run("winter", AT, lambda: next(left))
    pages = world.audience.pages
    assert len(world.evaluate_queue.waiting) == 1
    world.run()
    assert everyone(world) == [["news"]] * PEOPLE
    assert world.audience.pages >= pages
    assert len(waiting(world)) == 0


def test_many_short_invocations_finish_a_run() -> None:
    world = at_its_hour()
    world.audience.page_size = 1
    budget = itertools.cycle(
        [900.0] * 24 + [0.0]
    )  # enough to walk what is done already, and three pages more
    world.time_left = lambda: next(budget)
    world.fire()
    assert world.evaluate_queue.total > 2
    assert everyone(world) == [["news"]] * PEOPLE


def test_who_comes_into_the_segment_after_the_freeze_is_not_in_the_run() -> None:
    world = at_its_hour()
    run_once(world)
    world.customer_with_line("c99", "U99")
    run_once(world)
    world.run()
    assert world.line.copies("U99") == []


def test_who_leaves_the_segment_after_the_freeze_is_suppressed_and_recorded() -> None:
    world = fresh(
        playbook(
            campaigns={"winter": campaign("news", once=AT, segment="none_bought")},
            segments={"none_bought": "orders.count == 0"},
        )
    )
    world.now = AT
    run_once(world)
    world.ingest(world.purchase("c3"))
    world.decide_all()
    world.run()
    assert world.line.copies("U3") == []
    assert ("news", "suppressed", "no_longer_eligible") in world.ends()
    assert len(world.records()) == PEOPLE


def test_a_provisional_purchase_keeps_its_customer_out_of_a_run_for_those_who_did_not_buy() -> None:
    world = fresh(
        playbook(
            campaigns={"winter": campaign("news", once=AT, segment="none_bought")},
            segments={"none_bought": "orders.count == 0"},
        )
    )
    world.ingest(world.purchase("c3", status="provisional"))
    world.advance(to=AT)
    assert world.line.copies("U3") == []
    assert len(world.line.pushes) == PEOPLE - 1


def test_a_run_keeps_the_version_it_began_with() -> None:
    world = at_its_hour()
    left = itertools.chain(itertools.repeat(900.0, 3), itertools.repeat(0.0))
    world.evaluation.run("winter", AT, lambda: next(left))
    world.apply(playbook(campaigns={"winter": campaign("coupon", once=AT)}))
    world.run()
    assert everyone(world) == [["news"]] * PEOPLE


def test_a_campaign_of_an_unlinked_audience_is_for_nobody() -> None:
    world = World(ONCE)
    world.ingest(world.purchase("c1"))
    world.advance(days=7)
    assert list(world.runs.targeted.values()) == [0]
    assert world.records() == []


def test_anonymous_friends_are_part_of_the_audience() -> None:
    world = World(ONCE)
    world.befriend("U5")
    world.webhook(world.line_event("follow", "U5"))
    world.ingest(world.event("purchase", "c1", order_id="1"))
    world.advance(days=7)
    assert world.ends() == [("news", "suppressed", "no_consent")]


def test_a_linked_friend_is_targeted_once_not_as_friend_and_customer() -> None:
    world = World(ONCE)
    world.befriend("U1")
    world.webhook(world.line_event("follow", "U1"))
    world.run()
    world.customer_with_line("c1", "U1")
    world.advance(days=7)
    assert list(world.runs.targeted.values()) == [1]
    assert world.line.copies("U1") == ["news"]


# --- schedules


def test_a_weekly_campaign_comes_every_week_under_send_ids_of_its_own() -> None:
    world = fresh(WEEKLY, people=2)
    world.advance(to=jst(11, 26, 0))
    assert [push.at for push in world.line.pushes if push.to == "U0"] == [
        jst(11, day, 19) for day in (4, 11, 18, 25)
    ]
    assert len({push.key for push in world.line.pushes}) == 8


def test_a_crash_at_any_call_leaves_the_next_week_armed() -> None:
    def build() -> World:
        world = fresh(WEEKLY, people=2)
        world.now = AT
        return world

    def act(world: World) -> None:
        world.fire()

    def check(world: World) -> None:
        assert world.schedules.next_due == jst(11, 11, 19)
        assert everyone(world, 2) == [["news"]] * 2

    assert crash_everywhere(build, act, check) > 40


class Remembering(FakePlaybooks):
    """What was in force when it was asked first is so for seconds, unless it is read anew."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._now = world.playbooks
        self._seen = self._now.in_force()

    def in_force(self) -> Compiled:
        """As it was."""
        return self._seen

    def in_force_now(self) -> Compiled:
        """As it is."""
        return self._now.in_force()

    def version(self, version: str) -> Compiled:
        """As it is."""
        return self._now.version(version)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_date_of_a_playbook_that_comes_into_force_meanwhile_is_not_overwritten(when: str) -> None:
    """The run sets next Wednesday, by the playbook that it knows of; the new one says Thursday morning."""
    world = fresh(WEEKLY, people=2)
    world.now = AT
    thursdays = campaign("news", weekly=Weekly(3, dt.time(10)))
    later = playbook(campaigns={"weekly": thursdays})

    def hook(_number: int, name: str, side: str) -> None:
        if (name, side) == ("schedules.put", when):
            world.tap.watch(None)
            world.apply(later)

    world.evaluation = dataclasses.replace(world.evaluation, playbooks=Remembering(world))
    world.tap.watch(hook)
    run_once(world, AT, "weekly")
    assert world.schedules.by_campaign["weekly"] == jst(11, 5, 10)


def test_an_old_run_that_is_replayed_does_not_set_the_schedule_back() -> None:
    world = fresh(WEEKLY, people=2)
    world.advance(to=jst(11, 12, 0))
    assert world.schedules.by_campaign["weekly"] == jst(11, 18, 19)
    run_once(world, jst(11, 4, 19), "weekly")
    world.run()
    assert world.schedules.by_campaign["weekly"] == jst(11, 18, 19)


def test_a_campaign_called_before_its_time_sends_nothing() -> None:
    world = fresh()
    run_once(world)
    world.run()
    assert world.line.pushes == []


@pytest.mark.parametrize(
    "moved",
    [campaign("news", weekly=Weekly(2, dt.time(20))), campaign("news", once=AT - dt.timedelta(days=1))],
    ids=["an hour later", "to a date that has passed"],
)
def test_an_hour_that_is_no_longer_the_campaigns_is_not_its_run(moved: Campaign) -> None:
    """The schedule of the playbook before may fire once more; nobody gets the week's message twice for it."""
    world = at_its_hour(WEEKLY)
    world.apply(playbook(campaigns={"weekly": moved}))
    run_once(world, AT, "weekly")
    assert world.runs.find("weekly", AT) is None
    world.run()
    assert everyone(world) == [[]] * PEOPLE
    world.advance(days=1)
    assert everyone(world) == [["news"] if moved.weekly else []] * PEOPLE


@pytest.mark.parametrize(
    "book", [playbook(), playbook(campaigns={"winter": campaign("news", once=AT, on=False)})]
)
def test_a_campaign_that_is_gone_or_off_sends_nothing(book: Playbook) -> None:
    world = fresh()
    world.apply(book)
    world.advance(days=7)
    assert world.line.pushes == []


def test_a_campaign_switched_off_while_it_is_under_way_stops_and_says_so() -> None:
    world = at_its_hour()
    run_once(world)
    world.apply(playbook(campaigns={"winter": campaign("news", once=AT, on=False)}))
    world.run()
    assert world.line.pushes == []
    assert {end[1:] for end in world.ends()} == {("suppressed", "stopped")}
    assert len(world.records()) == PEOPLE


def test_a_campaign_switched_off_between_freezing_and_enqueueing_accounts_for_everybody() -> None:
    world = at_its_hour()
    world.evaluation.run("winter", AT, lambda: 0.0 if world.runs.targeted else 900.0)
    assert list(world.runs.targeted.values()) == [PEOPLE]
    world.apply(playbook(campaigns={"winter": campaign("news", once=AT, on=False)}))
    world.run()
    assert world.line.pushes == []
    assert len(world.records()) == PEOPLE


# --- the one slot of the week


def test_a_campaign_yields_to_a_scenarios_promotion_due_within_the_week() -> None:
    book = playbook(
        scenarios={"repeat": scenario("purchase", days(5), send("offer"), rank=20)},
        campaigns={"winter": campaign("news", once=AT)},
    )
    world = World(book)
    world.customer_with_line("c1", "U1")
    world.customer_with_line("c2", "U2")
    world.ingest(world.purchase("c1"))
    world.advance(days=10)
    assert world.line.copies("U1") == ["offer"]
    assert world.line.copies("U2") == ["news"]
    assert ("news", "suppressed", "outranked") in world.ends()


def test_a_campaign_does_not_yield_to_a_promotion_that_is_due_after_the_week() -> None:
    book = playbook(
        scenarios={"repeat": scenario("purchase", days(10), send("offer"), rank=20)},
        campaigns={"winter": campaign("news", once=AT)},
    )
    world = World(book)
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.advance(days=15)
    assert world.line.copies("U1") == ["news", "offer"]


def test_a_campaign_does_not_yield_to_something_of_lower_rank() -> None:
    book = playbook(
        scenarios={"upsell": scenario("purchase", days(5), send("offer", hold_days=7), rank=90)},
        campaigns={"winter": campaign("news", once=AT)},
    )
    world = World(book)
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.advance(days=15)
    assert [(push.texts[0], push.at) for push in world.line.pushes] == [
        ("news", AT),
        ("offer", AT + dt.timedelta(days=7)),
    ]


def test_a_campaign_that_may_wait_is_sent_when_the_slot_is_free_again() -> None:
    book = playbook(
        scenarios={"repeat": scenario("purchase", days(3), send("offer"), rank=20)},
        campaigns={
            "winter": campaign(
                "news", once=AT, hold_seconds_max=9 * DAY_SECONDS, expires_seconds=8 * DAY_SECONDS
            )
        },
    )
    world = World(book)
    world.customer_with_line()
    world.ingest(world.purchase("c1"))
    world.advance(days=20)
    assert [(push.texts[0], push.at) for push in world.line.pushes] == [
        ("offer", jst(11, 5, 12)),
        ("news", jst(11, 12, 12)),
    ]


def test_a_line_user_who_moves_to_another_customer_while_the_list_is_made_is_on_it_once() -> None:
    everywhere = playbook(campaigns={"winter": campaign("news", once=AT)}, consent={})
    world = World(everywhere)
    world.customer_with_line("a", "U1")
    world.ingest(world.purchase("z"))
    world.run()
    world.now = AT
    page = world.evaluation.audience.page
    moved = False

    def page_and_move(segment: int, segments: int, start_key: str) -> tuple[list[Customer], str]:
        nonlocal moved
        found = page(segment, segments, start_key)
        if any(customer.customer_id == "a" for customer in found[0]) and not moved:
            moved = True
            world.ingest(world.event("line_unlinked", "a", line_user_id="U1"))
            world.decide_all()
            world.now += dt.timedelta(seconds=1)
            world.ingest(world.linked("z", "U1"))
            world.decide_all()
        return found

    with mock.patch.object(FakeAudience, "page", side_effect=page_and_move):
        run_once(world)
    chunks = [
        world.runs.chunk(Run("winter", AT, everywhere.version, AT, 4), segment, 0) for segment in range(4)
    ]
    listed = [one.line_user_id for chunk in chunks if chunk is not None for one in chunk.recipients]
    assert listed == ["U1"]
    world.run()
    assert len({record.send_id for record in world.records()}) == len(listed)
