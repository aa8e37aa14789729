"""Linking by a code typed in the chat: eight signs, ten minutes, once, and five looks an hour."""

import datetime as dt

import pytest

from functions.decide.link_attempts import REFUSED
from functions.decide.link_replies import LINKED, WRONG
from functions.domain.message_limits import content_faults
from functions.ports.errors import Rejected, Unknown
from tests.fakes.link_world import Browser, LinkWorld, query_of

USER = "U1"
WRONG_CODES = ["AAAA2222", "BBBB2222", "CCCC2222", "DDDD2222", "EEEE2222"]


def types(world: LinkWorld, text: str, user: str = USER, *, event_id: str = "", kind: str = "text") -> None:
    message = {"id": "1", "type": kind, "text": text}
    raw = world.line_event("message", user, event_id=event_id, message=message)
    world.webhook({**raw, "replyToken": f"reply-{raw['webhookEventId']}"})
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
    for wrong in WRONG_CODES:
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
        for number, wrong in enumerate(WRONG_CODES[:4]):
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


def said(world: LinkWorld) -> list[str]:
    return [str(message["text"]) for _, message in world.replies.said]


def test_the_account_says_whether_a_code_counted_and_says_it_once() -> None:
    world = LinkWorld()
    types(world, "AAAA2222", event_id="01HA")
    code = world.ways()["code"]
    for _ in range(3):
        types(world, code, event_id="01HB")
    assert said(world) == [WRONG, LINKED]


def test_who_guesses_hears_nothing_after_the_fifth() -> None:
    world = LinkWorld()
    for wrong in [*WRONG_CODES, "FFFF2222", "GGGG2222"]:
        types(world, wrong)
    assert len(said(world)) == 5


def test_other_messages_are_not_answered() -> None:
    world = LinkWorld()
    types(world, "返品はできますか？")
    assert said(world) == []


def test_a_reply_that_is_not_taken_costs_nobody_the_link() -> None:
    world = LinkWorld()
    for error in (Rejected("http_400"), Unknown("no answer")):
        world.replies.raises = error
        types(world, world.ways()["code"])
        assert world.linked_to(USER) == "c1"


def test_what_comes_too_late_to_be_answered_is_not() -> None:
    world = LinkWorld()
    raw = world.line_event("message", USER, message={"type": "text", "text": world.ways()["code"]})
    world.later(minutes=1)
    world.webhook({**raw, "replyToken": "r"})
    assert world.linked_to(USER) == "c1"
    assert said(world) == []


def presses(world: LinkWorld, data: object, *, reply_token: object = "reply") -> None:
    raw = world.line_event("postback", USER, postback={"data": data})
    world.webhook({**raw, "replyToken": reply_token})
    world.run()
    assert world.dead() == []


@pytest.mark.parametrize(("data", "page"), [("musubi:link", "dialog"), ("musubi:manage", "manage")])
def test_a_button_is_answered_with_the_friends_own_link(data: str, page: str) -> None:
    world = LinkWorld()
    presses(world, data)
    ((_, message),) = world.replies.said
    assert content_faults([dict(message)]) == []
    address = message["template"]["actions"][0]["uri"]
    assert address.startswith(f"https://api.example/link/{page}?f=")
    assert world.tokens.read("friend", query_of(address)["f"], dt.timedelta(minutes=1)) == {"u": USER}
    assert Browser(world).get(address).status in (200, 303)


@pytest.mark.parametrize("data", ["", "musubi:", "musubi:other", "buy", None, 7, ["musubi:link"]])
def test_other_buttons_are_not_answered(data: object) -> None:
    world = LinkWorld()
    presses(world, data)
    assert world.replies.said == []


@pytest.mark.parametrize("reply_token", [None, "", 7])
def test_without_a_reply_token_nothing_is_said(reply_token: object) -> None:
    world = LinkWorld()
    presses(world, "musubi:link", reply_token=reply_token)
    assert world.replies.said == []
