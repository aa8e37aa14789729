"""Linking by the account-link dialog: from the chat to the shop's login, to LINE, and back by webhook."""

import datetime as dt
import re
from typing import Any

import msgspec
import pytest

from functions.decide.link_attempts import REFUSED
from functions.domain.line_events import anonymous_id
from functions.ports.errors import AccountRefused, Rejected, Retryable
from tests.fakes.crashes import crash_everywhere
from tests.fakes.link_world import BASE, Browser, LinkWorld, linking_book, query_of, shown
from tests.fakes.playbooks import scenario, send
from tests.fakes.world import World

USER = "U1"
MINUTES = dt.timedelta(minutes=1)


def to_the_shop(world: LinkWorld, user: str = USER) -> str:
    """Open the link in the chat: the return token with which the shop's login page is opened."""
    answer = Browser(world).get(f"{BASE}/link/dialog?f={world.friend_token(user)}")
    assert answer.status == 303
    assert answer.headers["location"].startswith("https://shop.example/login?lang=ja&musubi=")
    return query_of(answer.headers["location"])["musubi"]


def nonce_for(world: LinkWorld, customer_id: str = "c1", user: str = USER, **more: Any) -> str:
    """The customer has logged in at the shop: the nonce with which LINE's dialog is opened."""
    ways = world.ways(customer_id, **{"return": to_the_shop(world, user), **more})
    query = query_of(ways["dialog_url"])
    assert query["linkToken"] == f"link-token-{len(world.link_tokens.issued)}"
    return query["nonce"]


def account_link(
    world: LinkWorld, nonce: str, user: str = USER, *, result: str = "ok", event_id: str = ""
) -> None:
    """LINE tells that the dialog was ended."""
    link = {"result": result, "nonce": nonce}
    world.webhook(world.line_event("accountLink", user, event_id=event_id, link=link))


def expirations(world: LinkWorld, customer_id: str) -> int:
    world.run()
    return sum(event.name == "link_attempt_expired" for event in world.events.all_of(customer_id))


def test_whoever_logs_in_at_the_shop_and_allows_it_at_line_is_linked() -> None:
    world = LinkWorld()
    nonce = nonce_for(world, consent=["marketing"], consent_version="m-1")
    assert world.link_tokens.issued == [USER]
    account_link(world, nonce)
    assert world.linked_to(USER) == "c1"
    link = world.identities.link_of(USER)
    assert link is not None
    assert link.method == "dialog"
    assert world.gate("c1").consent["marketing"].value is True


def test_a_nonce_links_once_however_often_line_delivers_it() -> None:
    world = LinkWorld()
    nonce = nonce_for(world)
    for _ in range(3):
        account_link(world, nonce, event_id="01HSAME")
    account_link(world, nonce, event_id="01HOTHER")
    assert world.linked_to(USER) == "c1"
    assert len(world.identities.audit_of(USER)) == 1


def test_a_nonce_that_was_used_ties_nobody_again_who_has_untied_meanwhile() -> None:
    world = LinkWorld()
    nonce = nonce_for(world)
    account_link(world, nonce)
    world.run()
    world.later(minutes=1)
    world.ingest(world.event("line_unlinked", "c1", line_user_id=USER))
    world.run()
    world.later(minutes=1)
    account_link(world, nonce)
    assert world.linked_to(USER) == ""


def test_another_line_user_with_this_nonce_is_refused() -> None:
    world = LinkWorld()
    nonce = nonce_for(world)
    account_link(world, nonce, "U2")
    assert world.linked_to("U2") == ""
    assert world.measures.last[REFUSED] == 1
    account_link(world, nonce)
    assert world.linked_to(USER) == "c1"


@pytest.mark.parametrize("nonce", ["", "unknown", "é", "n" * 300])
def test_an_unknown_nonce_links_nobody_is_counted_and_the_webhook_is_kept(nonce: str) -> None:
    world = LinkWorld()
    account_link(world, nonce)
    assert world.linked_to(USER) == ""
    assert world.measures.last[REFUSED] == 1
    (kept,) = world.events.all_of(anonymous_id(USER))
    assert kept.name == "line_accountLink"


def test_a_nonce_that_is_over_links_nobody() -> None:
    world = LinkWorld()
    nonce = nonce_for(world)
    world.later(minutes=10)
    account_link(world, nonce)
    assert world.linked_to(USER) == ""


def test_a_webhook_that_comes_late_counts_by_when_it_happened() -> None:
    """LINE says when: a queue that was slow costs nobody the link."""
    world = LinkWorld()
    raw = world.line_event("accountLink", USER, link={"result": "ok", "nonce": nonce_for(world)})
    world.later(minutes=20)
    world.tick()
    world.webhook(raw)
    assert world.linked_to(USER) == "c1"


def test_a_dialog_that_failed_links_nobody() -> None:
    world = LinkWorld()
    nonce = nonce_for(world)
    account_link(world, nonce, result="failed")
    world.webhook(
        {
            "type": "accountLink",
            "timestamp": int(world.now.timestamp() * 1000),
            "link": {"result": "failed", "nonce": nonce},
        }
    )
    assert world.linked_to(USER) == ""


@pytest.mark.parametrize("link", [None, [], "ok", {}, {"result": "ok"}, {"result": "ok", "nonce": {"a": 1}}])
def test_a_webhook_of_another_form_links_nobody_and_stops_nothing(link: Any) -> None:
    world = LinkWorld()
    world.webhook(world.line_event("accountLink", USER, link=link))
    assert world.linked_to(USER) == ""


def test_a_dialog_that_nobody_ended_is_noticed_after_eleven_minutes() -> None:
    world = LinkWorld()
    nonce_for(world)
    world.later(minutes=10, seconds=59)
    world.tick()
    assert expirations(world, anonymous_id(USER)) == 0
    world.later(seconds=1)
    for _ in range(2):
        world.tick()
    assert expirations(world, anonymous_id(USER)) == 1


def test_a_scenario_may_ask_again_whoever_did_not_end_it() -> None:
    book = linking_book()
    asking = {"ask_again": scenario("link_attempt_expired", send("thanks"))}
    world = LinkWorld(msgspec.structs.replace(book, version="asks again", scenarios=asking))
    world.befriend(USER)
    world.webhook(world.line_event("follow", USER, follow={"isUnblocked": False}))
    world.run()
    nonce_for(world)
    world.advance(minutes=12)
    assert [push.to for push in world.line.pushes] == [USER]


def test_a_dialog_that_was_ended_is_not_said_to_have_lapsed() -> None:
    world = LinkWorld()
    account_link(world, nonce_for(world))
    world.run()
    world.later(minutes=11)
    world.tick()
    assert expirations(world, anonymous_id(USER)) + expirations(world, "c1") == 0


def test_a_login_by_the_same_attempt_is_for_the_same_line_user_alone() -> None:
    """Who began in the chat is who may end it, by whichever way."""
    world = LinkWorld()
    ways = world.ways(**{"return": to_the_shop(world)})
    for user, expected in (("U2", "over"), (USER, "done")):
        browser = Browser(world)
        query = world.login.consented(world.to_line(browser, ways["ticket"]), user)
        assert shown(world.back(browser, query)) == expected


@pytest.mark.parametrize(
    ("error", "status"),
    [(Rejected("http_404"), 400), (AccountRefused("http_401"), 400), (Retryable("x"), 503)],
)
def test_where_line_gives_no_link_token_nobody_is_sent_anywhere(error: Exception, status: int) -> None:
    world = LinkWorld()
    world.link_tokens.raises = error
    answer = Browser(world).get(f"{BASE}/link/dialog?f={world.friend_token(USER)}")
    assert answer.status == status
    assert "location" not in answer.headers


def test_a_playbook_without_a_login_page_says_so() -> None:
    world = LinkWorld(linking_book(login_page=""))
    answer = Browser(world).get(f"{BASE}/link/dialog?f={world.friend_token(USER)}")
    assert (answer.status, shown(answer)) == (404, "no_login_page")
    assert world.link_tokens.issued == []


def test_a_link_in_the_chat_is_good_for_two_weeks_and_for_nobody_else() -> None:
    world = LinkWorld()
    token = world.friend_token(USER)
    world.later(days=14)
    assert Browser(world).get(f"{BASE}/link/dialog?f={token}").status == 303
    world.later(seconds=1)
    assert shown(Browser(world).get(f"{BASE}/link/dialog?f={token}")) == "over"
    forged = re.sub(r"^.", "x", world.friend_token(USER))
    assert Browser(world).get(f"{BASE}/link/dialog?f={forged}").status == 400
    assert Browser(world).get(f"{BASE}/link/dialog?f={world.ways()['ticket']}").status == 400


def test_a_return_token_is_good_for_ten_minutes() -> None:
    world = LinkWorld()
    token = to_the_shop(world)
    world.later(minutes=10, seconds=1)
    assert world.asked(**{"customer_id": "c1", "return": token}).status == 400


def test_whatever_crashes_in_decide_the_link_is_made_once() -> None:
    nonces: dict[int, str] = {}

    def fresh() -> LinkWorld:
        world = LinkWorld()
        nonces[id(world)] = nonce_for(world)
        return world

    def act(world: World) -> None:
        assert isinstance(world, LinkWorld)
        account_link(world, nonces[id(world)])
        world.run()
        world.later(minutes=11)
        world.tick()
        world.run()

    def check(world: World) -> None:
        assert isinstance(world, LinkWorld)
        assert world.linked_to(USER) == "c1"
        assert len(world.identities.audit_of(USER)) == 1
        assert expirations(world, "c1") == 0

    assert crash_everywhere(fresh, act, check) > 20
