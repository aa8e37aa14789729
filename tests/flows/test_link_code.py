"""Linking by a code typed in the chat: eight signs, ten minutes, once, and five looks an hour."""

import pytest

from functions.decide.link_attempts import REFUSED
from tests.fakes.link_world import LinkWorld

USER = "U1"
WRONG = ["AAAA2222", "BBBB2222", "CCCC2222", "DDDD2222", "EEEE2222"]


def types(world: LinkWorld, text: str, user: str = USER, *, event_id: str = "", kind: str = "text") -> None:
    world.webhook(
        world.line_event("message", user, event_id=event_id, message={"id": "1", "type": kind, "text": text})
    )
    world.run()


@pytest.mark.parametrize("typed", ["{}", " {} ", "{}\n"])
def test_a_code_in_the_chat_links(typed: str) -> None:
    world = LinkWorld()
    types(world, typed.format(world.ways(consent=["news"])["code"].lower()))
    assert world.linked_to(USER) == "c1"
    link = world.identities.link_of(USER)
    assert link is not None
    assert link.method == "code"
    assert world.gate("c1").consent["news"].value is True


def test_a_code_links_one_line_user_and_no_second() -> None:
    world = LinkWorld()
    code = world.ways()["code"]
    for user in (USER, "U2", USER):
        types(world, code, user)
    assert (world.linked_to(USER), world.linked_to("U2")) == ("c1", "")
    assert len(world.identities.audit_of(USER)) == 1


def test_a_code_is_good_for_ten_minutes() -> None:
    world = LinkWorld()
    code = world.ways()["code"]
    world.later(minutes=10)
    types(world, code)
    assert world.linked_to(USER) == ""


def test_one_attempt_is_one_link_by_whichever_way() -> None:
    world = LinkWorld()
    ways = world.ways()
    types(world, ways["code"])
    answer = world.login_link("U2")
    assert answer.status == 200  # an attempt of its own
    assert world.linked_to(USER) == "c1"
    assert world.link_attempts.take(next(iter(world.link_attempts._bodies)), "U3", world.now, "login") is None


def test_after_five_codes_within_the_hour_no_more_are_looked_at() -> None:
    world = LinkWorld()
    code = world.ways()["code"]
    for wrong in WRONG:
        types(world, wrong)
        assert world.measures.last.pop(REFUSED) == 1
    types(world, code)
    assert world.linked_to(USER) == ""
    assert world.measures.last[REFUSED] == 1
    types(world, code, "U2")
    assert world.linked_to("U2") == "c1"
    world.later(hours=1)
    types(world, world.ways("c2")["code"])
    assert world.linked_to(USER) == "c2"


def test_a_redelivered_message_is_no_further_try() -> None:
    world = LinkWorld()
    for _ in range(3):
        for number, wrong in enumerate(WRONG[:4]):
            types(world, wrong, event_id=f"01H{number}")
    types(world, world.ways()["code"])
    assert world.linked_to(USER) == "c1"


def test_what_people_write_is_no_try() -> None:
    world = LinkWorld()
    for text in ("返品はできますか？", "THANKYOU", "12345678", "ABCDEFGH", "", "A" * 5_000):
        types(world, text)
    types(world, world.ways()["code"], kind="sticker")
    assert REFUSED not in world.measures.last
    assert world.link_attempts._tries == {}
    assert world.linked_to(USER) == ""
