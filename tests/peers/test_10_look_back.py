"""10. A dedup look-back shorter than the longest pause or replay."""

import datetime as dt

import pytest

from functions.domain.sends import Intent
from tests.fakes.playbooks import QUIET, playbook, scenario, send
from tests.fakes.world import World, jst
from tests.flows.sending import KINDS, ends, fresh
from tests.peers.people import crash_before_acceptance

DEAD_LETTERS_KEPT = dt.timedelta(days=13, hours=23)
"""SQS keeps a dead letter for fourteen days: this late somebody may still replay it."""
LOOK_BACK_OF_OTHERS = dt.timedelta(hours=24)


def dead_letter(world: World, intent: Intent) -> None:
    """What waits in the dead letters, far from everybody, until somebody replays it."""
    world.send_queue.waiting.clear()
    world.advance(to=max(world.now, intent.made_at + DEAD_LETTERS_KEPT))
    assert world.timers.held == []
    world.enqueue(
        world.intent("care", occurrence="later")
    )  # whatever else is decided meanwhile prunes the gate
    world.run()
    world.enqueue(intent)
    world.advance(hours=1)


@pytest.mark.parametrize("message", KINDS)
@pytest.mark.parametrize("expires_seconds", [3600, 8 * 86_400])
def test_a_dead_letter_of_something_that_was_sent_sends_no_second_copy(
    message: str, expires_seconds: int
) -> None:
    """Dittofeed: what is replayed after its 24 hours of look-back is unheard of, and sent again."""
    world = fresh()
    intent = world.intent(message, expires_seconds=expires_seconds)
    world.enqueue(intent)
    world.run()
    dead_letter(world, intent)
    assert world.line.copies("U1") == [message, "care"]
    assert [record.status for record in world.records() if record.send_id == intent.send_id] == ["sent"]


@pytest.mark.parametrize("message", KINDS)
@pytest.mark.parametrize("expires_seconds", [3600, 8 * 86_400])
def test_a_dead_letter_of_something_that_was_claimed_is_not_sent_at_all(
    message: str, expires_seconds: int
) -> None:
    """LINE's own key is good for 24 hours: after it, the same key is a new send. Whether it arrived nobody knows."""
    world = fresh()
    intent = world.intent(message, expires_seconds=expires_seconds)
    world.line.script.append("accept_then_timeout")
    world.enqueue(intent)
    crash_before_acceptance(world)
    world.step_send()
    world.tap.watch(None)
    calls = len(world.line.calls)
    dead_letter(world, intent)
    assert calls == 0
    assert world.line.copies("U1") in (["care"], [])
    assert [record.status for record in world.records() if record.send_id == intent.send_id] == ["unknown"]


@pytest.mark.parametrize("message", KINDS)
def test_a_dead_letter_of_something_that_line_took_unseen_sends_no_second_copy(message: str) -> None:
    """The same, where LINE took the message and the answer was lost: a second copy, thirteen days later."""
    world = fresh()
    intent = world.intent(message)
    world.line.script.extend(["accept_then_timeout"] * 2)
    world.enqueue(intent)
    world.step_send()
    held = [waiting for _, waiting in world.timers.held]
    for row in list(world.timers.due_in(world.timers.next_due or world.now, jst(12, 31))):
        world.timers.done([row])
    dead_letter(world, held[0] if held else intent)
    assert world.line.copies("U1").count(message) == 1
    assert [record.status for record in world.records() if record.send_id == intent.send_id] == ["unknown"]


@pytest.mark.parametrize("message", KINDS)
@pytest.mark.parametrize("expires_seconds", [3600, 8 * 86_400])
def test_a_dead_letter_of_something_that_was_never_tried_is_not_sent_so_late(
    message: str, expires_seconds: int
) -> None:
    """Its claim, had there been one, might be pruned by now: so old a message is never taken for a new one."""
    world = fresh()
    intent = world.intent(message, expires_seconds=expires_seconds)
    dead_letter(world, intent)
    assert world.line.copies("U1") == ["care"]
    (status,) = [record.status for record in world.records() if record.send_id == intent.send_id]
    assert status in ("unknown", "suppressed")


@pytest.mark.parametrize("message", KINDS)
def test_the_longest_pause_of_a_message_is_within_the_look_back(message: str) -> None:
    """Dittofeed: a message that waits longer than the look-back meets no memory of its earlier try."""
    world = fresh()
    intent = world.intent(message)
    world.enqueue(intent)
    world.run()
    for days in range(1, 9):
        world.advance(days=1)
        world.enqueue(
            world.intent("care", occurrence=f"day {days}")
        )  # what is decided meanwhile prunes the gate
        world.run()
        world.enqueue(intent)
        world.run()
        assert world.line.copies("U1").count(message) == 1, f"after {days} days"
    assert [record.status for record in world.records() if record.send_id == intent.send_id] == ["sent"]


@pytest.mark.parametrize(
    "silent", [dt.timedelta(hours=22), LOOK_BACK_OF_OTHERS, dt.timedelta(hours=25), dt.timedelta(days=3)]
)
def test_no_key_is_used_after_line_has_forgotten_it(silent: dt.timedelta) -> None:
    """LINE forgets a key after 24 hours: a try under it after a day's outage is a second copy."""
    world = fresh()
    world.line.script.extend(["accept_then_timeout"] * 2)
    world.enqueue(world.intent("thanks"))
    world.step_send()
    world.outage(hours=silent.total_seconds() / 3600)
    world.advance(hours=30)
    assert world.line.copies("U1") == ["thanks"]
    assert ends(world)[0][0] == ("sent" if silent < dt.timedelta(hours=23) else "unknown")


@pytest.mark.parametrize("others", [0, 200])
def test_an_event_that_a_source_repeats_weeks_later_starts_nothing_again(others: int) -> None:
    """Dittofeed: the same event after the look-back is a new one, and its journey starts again."""
    path = scenario("purchase", send("thanks"), reentry_seconds=60)
    world = World(playbook(scenarios={"path": path}, quiet_hours=QUIET))
    world.customer_with_line()
    first = world.purchase("c1", event_id="the-first")
    world.ingest(first)
    world.advance(days=1)
    for _ in range(others):
        world.ingest(world.event("cart_left", "c1"))
    world.advance(days=1)
    world.ingest({**first, "occurred_at": first["occurred_at"]})
    world.advance(days=12)
    world.ingest(first)
    world.advance(days=1)
    assert world.line.copies("U1") == ["thanks"]
    assert world.customer().profile.tallies["orders"].count == 1
