"""Dead letters: nothing lost, nothing sent twice, whatever cuts a replay off; and what was foretold comes about."""

import datetime as dt

import msgspec
import pytest

from functions.domain.account import Block
from functions.domain.dead_letters import Filters
from functions.domain.sends import Intent
from functions.ports.errors import Rejected
from functions.ports.messages import CampaignRun, CustomerDue
from functions.redrive.flow import LETTERS_MAX
from functions.redrive.requests import answer
from tests.fakes.crashes import crash_everywhere
from tests.fakes.world import World
from tests.flows.redriving import NOTE, Morgue, for_ever
from tests.flows.sending import cut_off_after_claim, ends, fresh, withdraw

AGAIN = "letter-0001-again-1"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def messages(world: World, *names: str) -> list[Intent]:
    return [world.intent(name) for name in names]


# --- putting back


def test_a_letter_runs_again_through_the_same_gate_and_is_sent_once() -> None:
    world = fresh()
    morgue = Morgue(world)
    morgue.bury(world.intent())
    report = morgue.replay()
    assert (report.tally.put_back, report.finished, morgue.letters.left()) == (1, True, [])
    world.run()
    assert (world.line.copies("U1"), ends(world)) == (["offer"], [("sent", "")])


def test_a_crash_at_any_call_of_a_replay_loses_nothing_and_sends_nothing_twice() -> None:
    made: dict[int, Morgue] = {}

    def build() -> World:
        world = fresh()
        made[id(world)] = Morgue(world)
        made[id(world)].bury(*messages(world, "thanks", "tips", "reminder"))
        return world

    def act(world: World) -> None:
        made[id(world)].replay_through_a_crash()
        world.run()

    def check(world: World) -> None:
        assert sorted(world.line.copies("U1")) == ["reminder", "thanks", "tips"]
        assert ends(world) == [("sent", "")] * 3
        assert made[id(world)].letters.left() == []

    assert crash_everywhere(build, act, check) >= 20


def test_after_a_cut_the_letters_that_are_back_already_are_only_deleted() -> None:
    world = fresh()
    morgue = Morgue(world)
    morgue.bury(*messages(world, "thanks", "tips"))

    def hook(_number: int, name: str, side: str) -> None:
        if (name, side) == ("letters.delete", "before"):
            raise KeyboardInterrupt

    world.tap.watch(hook)
    with pytest.raises(KeyboardInterrupt):
        morgue.replay()
    world.tap.watch(None)
    assert set(morgue.fates().values()) == {"cleared: is back already"}
    report = morgue.replay()  # a new one: what another one left behind is recognised all the same
    assert (report.tally.put_back, report.tally.cleared, morgue.letters.left()) == (0, 2, [])
    assert len(world.send_queue.waiting) == 2


def test_whoever_is_stopped_by_hand_hides_nothing() -> None:
    world = fresh()
    morgue = Morgue(world)
    morgue.bury(*messages(world, "thanks", "tips"))

    def hook(_number: int, name: str, side: str) -> None:
        if (name, side) == ("redrives.write", "before"):
            raise KeyboardInterrupt

    world.tap.watch(hook)
    with pytest.raises(KeyboardInterrupt):
        morgue.replay()
    assert len(morgue.letters.visible()) == 2


def test_looking_gives_every_letter_back_and_writes_nothing() -> None:
    world = fresh()
    morgue = Morgue(world)
    morgue.bury(*(world.intent(step=f"s{number}") for number in range(25)))
    assert (len(morgue.look().seen), len(morgue.look(foresee=True).seen)) == (25, 25)
    assert len(morgue.letters.visible()) == 25
    assert (morgue.redrives.pages, world.send_queue.waiting, world.records()) == ({}, [], [])
    assert world.gate().claims == []


def test_what_a_queue_does_not_take_in_stays_a_dead_letter_and_the_replay_open() -> None:
    world = fresh()
    morgue = Morgue(world)
    refused = msgspec.json.encode(world.intent("tips")).decode()
    morgue.letters.refuses = {refused}
    names = morgue.bury(*messages(world, "thanks", "tips"))
    report = morgue.replay()
    assert (report.tally.put_back, report.tally.refused, report.finished) == (1, 1, False)
    assert morgue.letters.visible() == names[1:]
    morgue.letters.refuses = set()
    assert morgue.replay(resume=report.redrive.redrive_id).finished
    world.run()
    assert sorted(world.line.copies("U1")) == ["thanks", "tips"]


def test_what_cannot_be_deleted_is_not_put_back_again() -> None:
    world = fresh()
    morgue = Morgue(world)
    (name,) = morgue.bury(world.intent())
    morgue.letters.sticks = {name}
    first = morgue.replay()
    assert (first.tally.put_back, first.finished) == (1, False)
    morgue.replay()
    assert (morgue.letters.put_count, morgue.letters.left()) == (1, [name])
    morgue.letters.sticks = set()
    assert morgue.replay(resume=first.redrive.redrive_id).finished
    assert morgue.letters.left() == []


def test_a_letter_that_dies_again_meanwhile_is_left_for_the_next_replay() -> None:
    """Else a message that fails for good would be put back for ever."""
    world = fresh()
    morgue = Morgue(world)
    morgue.bury(*messages(world, "thanks"))

    def hook(_number: int, name: str, side: str) -> None:
        if (name, side) == ("letters.delete", "after"):
            world.send_queue.waiting.clear()
            morgue.letters.bury(
                "send", msgspec.json.encode(world.intent("thanks")).decode(), message_id=AGAIN
            )

    world.tap.watch(hook)
    report = morgue.replay()
    assert (report.tally.put_back, report.finished, morgue.letters.left()) == (1, True, [AGAIN])
    assert morgue.replay().tally.put_back == 1


def test_what_nobody_can_read_stays() -> None:
    world = fresh()
    morgue = Morgue(world)
    bad = [morgue.letters.bury("send", body) for body in ("no json", "{}", '{"order": "other"}', "null")]
    bad += [morgue.letters.bury("schedules", body) for body in ("3", "[]", '{"scheduled_at": "now"}')]
    assert set(morgue.fates().values()) == {"stays: unreadable"}
    report = morgue.replay()
    assert (report.tally.put_back, report.tally.unreadable, report.finished) == (0, 7, True)
    assert morgue.letters.visible() == bad


# --- what was foretold


def old_claim(world: World, intent: Intent) -> None:
    """The intent is claimed and nobody knows whether it was pushed; it is no longer in any queue."""
    cut_off_after_claim(world, intent)
    world.send_queue.waiting = []


@pytest.mark.parametrize(
    ("hours", "told", "end", "calls"),
    [
        (1, "push_again", ("sent", ""), 1),
        (22, "push_again", ("sent", ""), 1),
        (23, "unknown: key_expired", ("unknown", "key_expired"), 0),
        (24 * 7, "unknown: key_expired", ("unknown", "key_expired"), 0),
        (24 * 8 + 2, "unknown: expired", ("unknown", "expired"), 0),
    ],
)
def test_a_claim_that_lines_key_no_longer_protects_ends_as_unknown_and_line_is_not_called(
    hours: int, told: str, end: tuple[str, str], calls: int
) -> None:
    world = fresh()
    morgue, intent = Morgue(world), world.intent("thanks")
    old_claim(world, intent)
    morgue.bury(intent)
    world.now += hours * HOUR
    assert list(morgue.fates().values()) == [told]
    morgue.replay()
    world.run()
    assert (ends(world), len(world.line.calls)) == ([end], calls)


def test_a_letter_older_than_its_claim_ends_as_unknown_also_when_it_was_never_claimed() -> None:
    world = fresh()
    morgue = Morgue(world)
    morgue.bury(world.intent(expires_seconds=3600))
    world.now += 2 * HOUR
    assert list(morgue.fates().values()) == ["unknown: expired"]
    morgue.replay()
    world.run()
    assert (ends(world), world.line.calls) == ([("unknown", "expired")], [])


def test_what_has_its_end_on_record_keeps_it() -> None:
    world = fresh()
    morgue, intent = Morgue(world), world.intent()
    world.enqueue(intent)
    world.run()
    morgue.bury(intent)
    assert list(morgue.fates().values()) == ["ended: sent"]
    morgue.replay()
    world.run()
    assert (ends(world), len(world.line.calls)) == ([("sent", "")], 1)


def foretold(world: World, intent: Intent) -> str:
    morgue = Morgue(world)
    morgue.bury(intent)
    (told,) = morgue.fates().values()
    morgue.replay()
    world.run()
    return told


def test_every_verdict_comes_about_as_foretold() -> None:
    world = fresh()
    intent = world.intent()
    withdraw(world)
    assert foretold(world, intent) == "suppressed: no_consent"
    assert ends(world) == [("suppressed", "no_consent")]

    world = fresh()
    world.account_state.block(Block("stopped", world.now + HOUR))
    assert foretold(world, world.intent()) == "wait: stopped"
    assert (ends(world), len(world.timers.held)) == ([], 1)

    world = fresh()
    assert foretold(world, world.intent(customer_id="nobody")) == "suppressed: erased"
    assert ends(world) == [("suppressed", "erased")]

    world = fresh()
    intent = msgspec.structs.replace(world.intent(), playbook="gone")
    assert foretold(world, intent) == "fails: there is no playbook version gone"
    assert ends(world) == []


def test_what_the_gate_stumbles_over_hides_nothing_of_the_others() -> None:
    world = fresh()
    morgue = Morgue(world)
    odd, plain = morgue.bury(msgspec.structs.replace(world.intent(), scenario="none"), world.intent("thanks"))
    assert morgue.fates() == {odd: "fails: KeyError", plain: "push"}


def test_a_claim_of_a_customer_who_was_merged_is_foreseen_where_it_is_now() -> None:
    world = World(fresh().book)
    world.befriend("U2")
    world.webhook(world.line_event("follow", "U2"))
    world.run()
    intent = world.intent("thanks", "anon:U2", "U2")
    old_claim(world, intent)
    world.ingest(world.linked("c2", "U2"))
    world.run()
    world.now += 2 * DAY
    assert foretold(world, intent) == "unknown: key_expired"
    assert ends(world) == [("unknown", "key_expired")]


# --- which


def test_filters_choose_and_leave_the_rest_where_it_is() -> None:
    world = fresh()
    morgue = Morgue(world)
    other = msgspec.structs.replace(NOTE, text="the tables are throttled")
    (first,) = morgue.bury(world.intent("thanks"))
    (second,) = morgue.bury(world.intent("tips", "c2", "U2", source="winter"), note=other)
    third = morgue.letters.bury("inbox", msgspec.json.encode(CustomerDue("c1")).decode())
    fourth = morgue.letters.bury("evaluate", msgspec.json.encode(CampaignRun("sale", world.now)).decode())
    chosen = {
        Filters(queue="send"): [first, second],
        Filters(cause="THROTTLED"): [second],
        Filters(customer="c1"): [first, third],
        Filters(customer="U2"): [second],
        Filters(scenario="winter"): [second],
        Filters(campaign="sale"): [fourth],
        Filters(cause="timed out"): [third, fourth],
        Filters(before=world.now - HOUR): [],
        Filters(after=world.now): [first, second, third, fourth],
        Filters(queue="bulk"): [],
    }
    for filters, wanted in chosen.items():
        assert sorted(one.letter.message_id for one in morgue.look(filters).seen) == wanted, filters
    morgue.replay(Filters(cause="throttled"))
    assert morgue.letters.visible() == [first, third, fourth]


def test_a_limit_holds_over_interruptions() -> None:
    world = fresh()
    morgue = Morgue(world)
    morgue.bury(*(world.intent(step=f"s{number:02}") for number in range(30)))
    seconds = iter([20.0, 20.0, 5.0, 5.0, 5.0])
    first = morgue.replay(Filters(limit=15), lambda: next(seconds))
    assert (first.tally.put_back, first.finished) == (10, False)
    assert len(morgue.letters.visible()) == 20
    second = morgue.replay(resume=first.redrive.redrive_id)
    assert (second.tally.put_back, second.finished, len(morgue.letters.visible())) == (15, True, 15)
    with pytest.raises(Rejected, match="is finished"):
        morgue.replay(resume=first.redrive.redrive_id)
    with pytest.raises(Rejected, match="there is no replay"):
        morgue.replay(resume="nothing")


def test_a_dry_run_tells_as_many_as_the_limit_would_put_back() -> None:
    world = fresh()
    morgue = Morgue(world)
    morgue.letters.bury("send", "no json")
    morgue.bury(*(world.intent(step=f"s{number:02}") for number in range(9)))
    assert sorted(morgue.fates(Filters(limit=3)).values()) == ["push"] * 3 + ["stays: unreadable"]


def test_more_than_can_be_looked_at_is_told() -> None:
    world = fresh()
    morgue = Morgue(world)
    for _ in range(LETTERS_MAX + 1):
        morgue.letters.bury("inbox", "{}")
    survey = morgue.look()
    assert (len(survey.seen), survey.complete) == (LETTERS_MAX, False)


# --- every queue


def test_letters_of_every_queue_go_back_to_where_they_died() -> None:
    world = fresh()
    morgue = Morgue(world)
    due = msgspec.json.encode(CustomerDue("c1")).decode()
    run = msgspec.json.encode(CampaignRun("sale", world.now)).decode()
    morgue.letters.bury("inbox", due)
    morgue.letters.bury("evaluate", run)
    morgue.letters.bury("schedules", run, moved=False)
    assert set(morgue.fates().values()) == {"rerun"}
    morgue.replay()
    assert [message.body for message in world.inbox_queue.waiting] == [due]
    assert [message.body for message in world.evaluate_queue.waiting] == [run, run]


def test_a_minute_that_eventbridge_could_not_deliver_is_ticked() -> None:
    world = fresh()
    morgue = Morgue(world)
    world.timers.hold(world.intent(), world.now, world.now)
    body = msgspec.json.encode({"scheduled_at": world.now}).decode()
    morgue.letters.bury("schedules", body, moved=False)
    world.now += HOUR
    assert morgue.replay().tally.put_back == 1
    world.run()
    assert ends(world) == [("sent", "")]


# --- the function that operators invoke


def test_the_function_lists_by_cause_with_error_and_age_and_shows_payloads_only_when_asked() -> None:
    world = fresh()
    morgue = Morgue(world)
    noted = msgspec.structs.replace(NOTE, failed_at=world.now)
    morgue.bury(world.intent("thanks"), world.intent("tips"), note=noted)
    morgue.letters.bury("inbox", "{}")
    world.now += HOUR
    told = answer(morgue.flow, {}, for_ever)
    first, second = told["groups"]
    cause = "Retryable: no playbook is in force (functions/send/flow.py:99)"
    assert (first["queue"], first["cause"], first["letters"], first["oldest_age_seconds"]) == (
        "send", cause, 2, 3600,
    )  # fmt: skip
    assert (second["cause"], second["items"][0]["kind"]) == ("no answer (timed out or killed)", "unreadable")
    item = first["items"][0]
    assert (item["customer_id"], item["scenario"], item["step"], item["error"]["kind"]) == (
        "c1", "path", "thanks", "Retryable",
    )  # fmt: skip
    assert "payload" not in item
    shown = answer(morgue.flow, {"payload": True, "queue": "send"}, for_ever)
    (first, second) = shown["groups"][0]["items"]
    assert [msgspec.json.decode(one["payload"], type=Intent).step for one in (first, second)] == [
        "thanks",
        "tips",
    ]


def test_the_function_tells_how_to_go_on_where_its_time_is_up() -> None:
    world = fresh()
    morgue = Morgue(world)
    morgue.bury(*(world.intent(step=f"s{number:02}") for number in range(12)))
    dry = answer(morgue.flow, {"action": "replay", "dry_run": True}, for_ever)
    assert (dry["would"], len(morgue.letters.visible())) == ({"push": 12}, 12)
    seconds = iter([20.0, 20.0, 5.0, 5.0])
    told = answer(morgue.flow, {"action": "replay", "by": "hana"}, lambda: next(seconds))
    assert (told["put_back"], told["finished"]) == (10, False)
    rest = answer(morgue.flow, told["again"], for_ever)
    assert (rest["put_back"], rest["finished"], morgue.letters.left()) == (12, True, [])


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"action": "replay"}, '"by"'),
        ({"queue": "sent"}, "there is no queue 'sent'; there are inbox, send, evaluate, schedules"),
        ({"limit": 0}, "1 or more"),
        ({"quue": "send"}, "unknown field `quue`"),
        ({"action": "purge"}, "purge"),
        ({"action": "replay", "resume": "x"}, "there is no replay x"),
        ([], "object"),
    ],
)
def test_the_function_answers_a_mistake_in_words_and_does_nothing(event: object, told: str) -> None:
    morgue = Morgue(fresh())
    assert told in answer(morgue.flow, event, for_ever)["error"]
    assert morgue.redrives.unfinished(morgue.world.now - DAY) == []


def test_the_audit_tells_who_what_and_letter_by_letter_what_was_done() -> None:
    world = fresh()
    morgue = Morgue(world)
    (name,) = morgue.bury(world.intent())
    redrive = morgue.replay(Filters(queue="send")).redrive
    trail = morgue.redrives.trail(redrive.redrive_id)
    assert trail is not None
    assert (trail.redrive.by, trail.redrive.filters, trail.finished) == ("hana", Filters(queue="send"), True)
    assert (trail.put, trail.deleted) == ({name: f"{name}-again-1"}, frozenset({name}))
    assert [stage for _, _, stage in morgue.redrives.pages] == ["planned", "put", "deleted"]
