"""A survey in the chat: asked once each, answered by taps and words, and never twice, whatever is delivered how often."""

import datetime as dt
import functools
import json
from typing import Any

import pytest

from functions.domain.profiles import Profile
from functions.domain.surveys import CLEAR, DONE, SKIP, Answer, data_of
from tests.fakes.crashes import crash_everywhere
from tests.fakes.lockstep import schedules, side_by_side
from tests.fakes.surveys import SURVEY, WRITTEN, book, tap, write
from tests.fakes.world import World
from tests.flows.test_link_life import put, undoing
from tests.flows.test_linking import taken_out

FRIEND = "anon:U1"


def followed(written: dict[str, Any] = WRITTEN) -> World:
    """A friend who has just followed, and was asked the first question."""
    world = World(book(written))
    world.befriend("U1")
    world.webhook(world.line_event("follow", "U1", event_id="follow-1"))
    world.run()
    return world


def said(world: World) -> list[str]:
    """What the friend has been told, in order."""
    return world.line.copies("U1")


def known(world: World, customer_id: str = FRIEND) -> Profile:
    return world.customer(customer_id).profile


def said_of(world: World) -> tuple[object, list[str], int]:
    profile = known(world)
    return profile.attribute("style"), profile.tag_names, profile.tallies["survey_answered"].count


def refusals(world: World) -> int:
    return world.measures.last.get("SurveyAnswersRefused", 0)


def answer_all(world: World) -> None:
    tap(world, "style", "dry")
    tap(world, "items", "toner")
    tap(world, "items", DONE)
    write(world, "  because of the winter ")
    tap(world, "day", "", postback={"params": {"date": "2026-05-04"}})


ALL = ["welcome.style", "welcome.items", "welcome.words", "welcome.day", "welcome.thanks"]


def test_one_question_follows_the_other_and_thanks_the_last() -> None:
    world = followed()
    assert said(world) == ALL[:1]
    tap(world, "style", "dry")
    assert said(world) == ALL[:2]
    tap(world, "items", "toner")
    assert said(world) == ALL[:2]
    tap(world, "items", DONE)
    write(world, "  because of the winter ")
    tap(world, "day", "", postback={"params": {"date": "2026-05-04"}})
    assert said(world) == ALL
    attributes = {name: known(world).attribute(name) for name in ("style", "welcome_words", "since")}
    assert attributes == {"style": "dry", "welcome_words": "because of the winter", "since": "2026-05-04"}
    assert known(world).tag_names == ["dry", "toner"]
    assert [journey.status for journey in world.customer(FRIEND).journeys] == ["done"]


def test_a_question_is_asked_only_of_whom_it_is_meant_for() -> None:
    world = followed()
    tap(world, "style", "oily")
    tap(world, "items", DONE)
    assert said(world) == ["welcome.style", "welcome.items", "welcome.day"]


def test_to_skip_leads_on() -> None:
    world = followed()
    tap(world, "style", SKIP)
    assert said(world) == ALL[:2]
    assert known(world).attribute("style") is None


def test_who_does_not_answer_is_asked_nothing_more_and_what_was_answered_stays() -> None:
    world = followed()
    tap(world, "style", "dry")
    world.advance(days=4)
    tap(world, "items", DONE)
    assert said(world) == ALL[:2]
    assert known(world).attribute("style") == "dry"
    assert known(world).attribute("welcome_items_answered") is True


def test_a_later_answer_replaces_the_earlier_one_and_asks_nothing_twice() -> None:
    world = followed()
    tap(world, "style", "dry")
    world.advance(minutes=5)
    tap(world, "style", "oily")
    assert known(world).attribute("style") == "oily"
    assert known(world).tag_names == ["oily"]
    assert said(world) == ALL[:2]


def test_the_later_answer_counts_also_where_it_comes_first() -> None:
    world = followed()
    earlier, later = world.now, world.now + dt.timedelta(minutes=5)
    world.advance(minutes=6)
    tap(world, "style", "oily", at=later)
    tap(world, "style", "dry", at=earlier)
    assert known(world).attribute("style") == "oily"
    assert known(world).tag_names == ["oily"]


def test_a_redelivered_answer_counts_once() -> None:
    world = followed()
    for _ in range(3):
        tap(world, "style", "dry", event_id="tap-1", at=world.now)
    assert known(world).tallies["survey_answered"].count == 1
    assert said(world) == ALL[:2]


def test_words_delivered_again_do_not_answer_the_next_question() -> None:
    second = {"key": "more", "text": "And?", "kind": "free"}
    world = followed({**WRITTEN, "questions": [WRITTEN["questions"][2] | {"when": None}, second]})
    at = world.now + dt.timedelta(minutes=1)
    world.advance(minutes=2)
    for _ in range(3):
        write(world, "once", event_id="text-1", at=at)
    assert known(world).attribute("welcome_words") == "once"
    assert known(world).attribute("welcome_more") is None
    write(world, "twice")
    assert known(world).attribute("welcome_more") == "twice"
    assert said(world) == ["welcome.words", "welcome.more", "welcome.thanks"]


def test_words_answer_nothing_while_no_question_waits_for_them() -> None:
    world = followed()
    write(world, "hello")
    tap(world, "style", "dry")
    write(world, "hello")
    assert "survey_answered" in known(world).tallies
    assert known(world).tallies["survey_answered"].count == 1
    assert known(world).attribute("welcome_words") is None


def test_words_from_before_the_question_do_not_answer_it() -> None:
    world = followed()
    world.advance(minutes=10)
    tap(world, "style", "dry")
    tap(world, "items", DONE)
    write(world, "long ago", at=world.now - dt.timedelta(minutes=5))
    assert known(world).attribute("welcome_words") is None


@pytest.mark.parametrize(
    "data",
    [
        data_of(Answer("welcome", SURVEY.hash, "style", "sticky")),
        data_of(Answer("welcome", SURVEY.hash, "nothing", "dry")),
        data_of(Answer("another", SURVEY.hash, "style", "dry")),
        data_of(Answer("welcome", "not-a-hash", "style", "dry")),
        data_of(Answer("welcome", "00000000", "style", "")),
        data_of(Answer("welcome", "00000000", "x" * 99, "dry")),
    ],
)
def test_a_forged_tap_changes_nothing_and_is_counted(data: str) -> None:
    world = followed()
    before = world.customer(FRIEND)
    world.webhook(world.line_event("postback", "U1", postback={"data": data}))
    world.run()
    after = world.customer(FRIEND)
    assert {**after.profile.tallies, "line_postback": None} == {
        **before.profile.tallies,
        "line_postback": None,
    }
    assert (after.profile.attributes, after.profile.tags) == (before.profile.attributes, before.profile.tags)
    assert said(world) == ALL[:1]
    assert refusals(world) == 1


def test_a_tap_on_something_else_is_not_counted_as_refused() -> None:
    world = followed()
    world.webhook(world.line_event("postback", "U1", postback={"data": "action=buy"}))
    world.run()
    assert refusals(world) == 0


def changed(world: World) -> None:
    """The first question offers something else from now on."""
    first, *rest = WRITTEN["questions"]
    options = [{"value": "mixed", "label": "Mixed"}]
    world.apply(book({**WRITTEN, "questions": [{**first, "options": options}, *rest]}))


def test_who_was_asked_by_an_older_version_answers_that_one() -> None:
    world = followed()
    changed(world)
    tap(world, "style", "dry")
    assert known(world).attribute("style") == "dry"
    assert said(world) == ALL[:2]


def test_an_answer_to_a_version_that_nobody_goes_by_is_kept_and_changes_nothing() -> None:
    world = followed()
    world.advance(days=4)
    changed(world)
    tap(world, "style", "dry")
    assert known(world).attribute("style") is None
    assert known(world).tag_names == []
    assert known(world).tallies["survey_answered"].count == 1
    assert refusals(world) == 0


def test_answers_carry_over_to_the_customer_and_the_survey_goes_on() -> None:
    world = followed()
    tap(world, "style", "dry")
    world.advance(minutes=1)
    world.ingest(world.linked("c1", "U1"))
    world.run()
    tap(world, "items", DONE)
    assert known(world, "c1").attribute("style") == "dry"
    assert said(world) == ALL[:3]
    tap(world, "style", "oily", event_id="edit")
    assert known(world, "c1").tag_names == ["oily"]


def test_an_answer_from_before_the_link_that_comes_again_counts_once() -> None:
    world = followed()
    at = world.now
    tap(world, "style", "dry", event_id="tap-1", at=at)
    world.advance(minutes=1)
    world.ingest(world.linked("c1", "U1"))
    world.run()
    tap(world, "style", "dry", event_id="tap-1", at=at)
    assert known(world, "c1").tallies["survey_answered"].count == 1


def test_answers_given_while_linked_go_back_with_the_friend_when_the_link_is_undone() -> None:
    world = followed()
    world.ingest(world.linked("c1", "U1"))
    world.advance(minutes=1)
    tap(world, "style", "dry")
    world.advance(minutes=1)
    assert known(world, "c1").tag_names == ["dry"]
    put(world, undoing(world))
    assert (known(world, "c1").attribute("style"), known(world, "c1").tag_names) == (None, [])
    assert (known(world).attribute("style"), known(world).tag_names) == ("dry", ["dry"])
    assert known(world).attribute("line_user_id") is None


def test_two_answers_at_once_count_both_and_ask_the_next_question_once() -> None:
    for schedule in schedules(8)[::3]:
        world = followed()
        for minute, value in enumerate(("dry", "oily")):
            data = data_of(Answer("welcome", SURVEY.hash, "style", value))
            at = world.now + dt.timedelta(minutes=minute)
            world.webhook(
                world.line_event("postback", "U1", event_id=f"tap-{minute}", at=at, postback={"data": data})
            )
        world.now += dt.timedelta(minutes=2)
        tasks = [functools.partial(world.decide.handle, one) for one in taken_out(world)]
        for task, error in zip(tasks, side_by_side(world.tap, schedule, *tasks), strict=True):
            if error is not None:  # it comes again
                task()
        world.run()
        assert said_of(world) == ("oily", ["oily"], 2), schedule
        assert said(world) == ALL[:2], schedule


def test_another_friends_tap_is_that_friends_answer() -> None:
    world = followed()
    tap(world, "style", "dry", user="U2")
    assert known(world).attribute("style") is None
    assert known(world, "anon:U2").attribute("style") == "dry"


def test_a_survey_that_was_answered_is_not_asked_or_thanked_again() -> None:
    world = followed()
    answer_all(world)
    customer = world.customer(FRIEND)
    scenario = world.book.scenarios["hello"]
    assert customer.journeys[0].occurrence == 1
    assert scenario.reentry_seconds is None
    tap(world, "items", CLEAR)
    tap(world, "items", "cream")
    tap(world, "items", DONE)
    assert said(world) == ALL


def test_a_crash_anywhere_asks_every_question_once() -> None:
    def build() -> World:
        world = World(book())
        world.befriend("U1")
        return world

    def act(world: World) -> None:
        world.webhook(world.line_event("follow", "U1", event_id="follow-1"))
        world.run()
        answer_all(world)
        world.advance(hours=2)

    def check(world: World) -> None:
        assert said(world) == ALL, json.dumps(said(world))
        assert known(world).tag_names == ["dry", "toner"]
        assert known(world).tallies["survey_answered"].count == 5
        assert world.dead() == []

    assert crash_everywhere(build, act, check) > 50
