"""6. "Finished" with people unsent, and no way to tell who was missed."""

import functools
import json

import msgspec

from functions.domain.accounts import Accounts, Frozen, Names, missing_of_run
from functions.domain.campaigns import Chunk, Run
from functions.domain.sends import Intent, send_id_of
from ops.accounts import accounts_of
from tests.fakes.world import World
from tests.peers.people import AT, at_the_hour, copies, run_campaign

PEOPLE = 9


def accounts_now(world: World) -> Accounts:
    """The accounts of the campaign: the frozen list against the send log."""
    return accounts_of(sum(world.runs.targeted.values()), world.records())


def listed(world: World) -> set[str]:
    """Whom the frozen list names."""
    run = world.runs.find("winter", AT)
    assert run is not None
    return {person.customer_id for chunk in _pages(world, run) for person in chunk.recipients}


def _pages(world: World, run: Run) -> list[Chunk]:
    found = (
        world.runs.chunk(run, segment, number)
        for segment in range(run.scan_segments)
        for number in range(PEOPLE)
    )
    return [chunk for chunk in found if chunk is not None]


def test_a_campaign_is_open_while_anybody_on_its_list_has_no_end_on_record() -> None:
    """listmonk #2278: 2,061 of 5,239 were sent, and the campaign was "finished"."""
    world = at_the_hour(people=PEOPLE)
    run_campaign(world)
    for ended in range(PEOPLE):
        found = accounts_now(world)
        assert (found.targeted, found.sent, found.pending, found.is_closed) == (
            PEOPLE,
            ended,
            PEOPLE - ended,
            False,
        )
        only_one(world)
    found = accounts_now(world)
    assert (found.sent, found.pending, found.is_closed) == (PEOPLE, 0, True)


def only_one(world: World) -> None:
    """Let one message go, and keep the others where they are."""
    first, rest = world.send_queue.waiting[:1], world.send_queue.waiting[1:]
    world.send_queue.waiting = first
    world.run()
    world.send_queue.waiting += rest


def test_what_vanished_from_a_queue_keeps_its_campaign_open() -> None:
    """listmonk #2278: nothing is left to do, so the campaign is called finished; the list says otherwise."""
    world = at_the_hour(people=PEOPLE)
    run_campaign(world)
    world.send_queue.waiting = world.send_queue.waiting[3:]
    world.run()
    found = accounts_now(world)
    assert (found.sent, found.pending, found.is_closed) == (PEOPLE - 3, 3, False)


def test_who_was_missed_can_be_told_by_name() -> None:
    """listmonk #2221: nobody can tell who was missed. The frozen list less the send log is who."""
    world = at_the_hour(people=PEOPLE)
    run_campaign(world)
    world.send_queue.waiting = world.send_queue.waiting[3:]
    world.run()
    missed = listed(world) - {record.customer_id for record in world.records()}
    assert missed == {f"c{number}" for number in range(PEOPLE) if not world.line.copies(f"U{number}")}
    assert len(missed) == 3


def test_one_person_recorded_twice_closes_nobody_elses_account() -> None:
    """listmonk #2278: a counter of sends, raised by repeats, reaches the target while people are unsent."""
    world = at_the_hour(people=PEOPLE)
    run_campaign(world)
    only_one(world)
    repeated = [*world.records()] * PEOPLE
    found = accounts_of(PEOPLE, repeated)
    assert (found.sent, found.pending, found.is_closed) == (1, PEOPLE - 1, False)


def test_somebody_who_was_not_meant_makes_up_for_nobody_who_was() -> None:
    """listmonk #2278: where two numbers are compared, a stranger's copy fills the place of whoever was left out."""
    world = at_the_hour(people=PEOPLE)
    run_campaign(world)
    names = functools.reduce(
        Names.with_name, (send_id_of_body(one.body) for one in world.send_queue.waiting), Names()
    )
    frozen = Frozen(names, pages=4, enqueued=4, segments=4, open_segments=0)
    left_out, *others = world.send_queue.waiting
    stranger = msgspec.json.decode(left_out.body, type=Intent)
    world.send_queue.waiting = others
    world.enqueue(msgspec.structs.replace(stranger, send_id=send_id_of("other", "", "", "", "", "")))
    world.run()
    ended = functools.reduce(Names.with_name, (record.send_id for record in world.records()), Names())
    found = accounts_now(world)
    assert (found.sent, found.pending) == (PEOPLE, 0)
    assert missing_of_run(frozen, found, ended) == [
        "the send log has ends of messages that are not on its list"
    ]
    assert missing_of_run(frozen, found, names) == []


def send_id_of_body(body: str) -> str:
    """Which message it is."""
    return str(json.loads(body)["send_id"])


def test_those_who_were_left_out_are_on_record_with_the_reason() -> None:
    """listmonk #2278: who was skipped by a rule is no different from who was forgotten."""
    world = at_the_hour(people=PEOPLE)
    world.ingest(world.event("consent_withdrawn", "c3", purpose="marketing"))
    world.decide_all()
    world.fire()
    found = accounts_now(world)
    assert (found.sent, found.suppressed, found.is_closed) == (PEOPLE - 1, {"no_consent": 1}, True)
    assert copies(world, PEOPLE)[3] == []
