"""Linking by LINE Login: who links, and every way in which nobody may."""

import contextlib
import datetime as dt
from typing import Literal

import pytest

from functions.domain.registers import Register
from functions.link.answers import Request
from functions.ports.errors import RateLimited, Rejected, Retryable, Unknown
from tests.fakes.crashes import crash_everywhere
from tests.fakes.link_world import ACCESS, BASE, Browser, LinkWorld, linking_book, query_of, shown
from tests.fakes.taps import Crash
from tests.fakes.world import World

USER = "U1"


def consents(world: LinkWorld, customer_id: str = "c1") -> dict[str, bool]:
    world.run()
    found: dict[str, Register] = world.gate(customer_id).consent
    return {purpose: bool(register.value) for purpose, register in found.items()}


def test_a_login_links_with_what_was_agreed_and_offers_the_account() -> None:
    world = LinkWorld()
    answer = world.login_link(USER, return_url="https://shop.example/done", consent=["marketing"])
    assert (answer.status, shown(answer)) == (200, "done")
    assert 'href="https://line.example/R/ti/p/%40shop"' in answer.body
    assert 'href="https://shop.example/done"' in answer.body
    assert world.linked_to(USER) == "c1"
    link = world.identities.link_of(USER)
    assert link is not None
    assert link.method == "login"
    assert consents(world) == {"marketing": True}


def test_a_friend_is_not_asked_to_add_the_account() -> None:
    world = LinkWorld()
    world.login.friends.add(USER)
    assert "add-friend" not in world.login_link(USER).body


def test_line_is_asked_with_state_nonce_and_a_challenge_and_no_secret() -> None:
    world = LinkWorld()
    browser = Browser(world)
    address = world.to_line(browser, world.ways()["ticket"], lang="en")
    assert address.startswith(f"{ACCESS}/oauth2/v2.1/authorize?")
    query = query_of(address)
    assert query["redirect_uri"] == f"{BASE}/link/callback"
    assert query["code_challenge_method"] == "S256"
    assert query["bot_prompt"] == "aggressive"
    assert query["ui_locales"] == "en"
    (cookie,) = browser.cookies.values()
    login = world.tokens.read("state", cookie, dt.timedelta(minutes=1))
    assert (query["state"], query["nonce"]) == (login["s"], login["n"])
    assert login["v"] not in address
    assert all(len(login[name]) * 6 >= 256 for name in "snv")


def test_the_cookie_is_ours_alone_and_gone_afterwards() -> None:
    world = LinkWorld()
    answer = world.link.answer(Request("POST", "/link/login", form={"t": [world.ways()["ticket"]]}))
    (line,) = answer.cookies
    assert line.startswith("__Host-")
    assert {"Path=/", "HttpOnly", "Secure", "SameSite=Lax"} <= {part.strip() for part in line.split(";")}
    browser = Browser(world)
    world.login_link(USER, browser)
    assert browser.cookies == {}


def test_only_what_was_shown_and_ticked_is_agreed_to() -> None:
    world = LinkWorld()
    browser = Browser(world)
    ticket = world.ways()["ticket"]
    page = browser.get(f"{BASE}/link/start?t={ticket}")
    assert page.body.count('type="checkbox"') == 2
    assert "checked" not in page.body
    address = world.to_line(browser, ticket, consent=["news", "spam"], version_news="n-1", version_spam="1")
    world.back(browser, world.login.consented(address, USER))
    assert world.linked_to(USER) == "c1"
    assert consents(world) == {"news": True}


def test_words_that_are_no_longer_asked_agree_to_nothing() -> None:
    world = LinkWorld()
    browser = Browser(world)
    address = world.to_line(browser, world.ways()["ticket"], consent="news", version_news="n-0")
    world.back(browser, world.login.consented(address, USER))
    assert world.linked_to(USER) == "c1"
    assert consents(world) == {}


def test_a_consent_cancelled_at_line_links_nobody() -> None:
    world = LinkWorld()
    for error in ("access_denied", "ACCESS_DENIED"):
        browser = Browser(world)
        state = query_of(world.to_line(browser, world.ways()["ticket"]))["state"]
        answer = world.back(browser, {"error": error, "state": state})
        assert (answer.status, shown(answer)) == (200, "cancelled")
    assert world.inbox_queue.total == 0


def test_another_error_of_lines_links_nobody() -> None:
    world = LinkWorld()
    browser = Browser(world)
    state = query_of(world.to_line(browser, world.ways()["ticket"]))["state"]
    assert shown(world.back(browser, {"error": "server_error", "state": state})) == "refused"
    assert world.inbox_queue.total == 0


def test_a_state_counts_once_even_with_a_code_of_its_own() -> None:
    world = LinkWorld()
    browser = Browser(world)
    address = world.to_line(browser, world.ways()["ticket"])
    kept = dict(browser.cookies)
    world.back(browser, world.login.consented(address, USER))
    browser.cookies = kept
    answer = world.back(browser, world.login.consented(address, "U2"))
    assert (answer.status, shown(answer)) == (409, "used")
    assert world.linked_to("U2") == ""


@pytest.mark.parametrize("query", [{}, {"state": "forged"}, {"state": ""}, {"state": "é"}])
def test_a_callback_without_this_browsers_state_links_nobody(query: dict[str, str]) -> None:
    world = LinkWorld()
    browser = Browser(world)
    code = world.login.consented(world.to_line(browser, world.ways()["ticket"]), USER)["code"]
    assert world.back(browser, {**query, "code": code}).status == 400
    assert world.inbox_queue.total == 0


def test_a_callback_in_another_browser_links_nobody() -> None:
    """Somebody lets the victim end a login that somebody else began."""
    world = LinkWorld()
    attacker, victim = Browser(world), Browser(world)
    query = world.login.consented(world.to_line(attacker, world.ways("attacker")["ticket"]), "Uattacker")
    assert world.back(victim, query).status == 400
    world.to_line(victim, world.ways("victim")["ticket"])
    assert world.back(victim, query).status == 400
    assert world.inbox_queue.total == 0


def test_a_code_of_another_login_is_worth_nothing() -> None:
    """The verifier and the nonce belong to one login: a code that was caught elsewhere fits neither."""
    world = LinkWorld()
    mine, theirs = Browser(world), Browser(world)
    state = query_of(world.to_line(mine, world.ways("mine")["ticket"]))["state"]
    code = world.login.consented(world.to_line(theirs, world.ways("theirs")["ticket"]), "U2")["code"]
    answer = world.back(mine, {"state": state, "code": code})
    assert (answer.status, shown(answer)) == (400, "refused")
    assert world.linked_to("U2") == ""


@pytest.mark.parametrize("nonce", ["", "another"])
def test_an_id_token_of_another_login_links_nobody(nonce: str) -> None:
    """Somebody plays an ID token in that was issued for something else."""
    world = LinkWorld()
    world.login.other_nonce = nonce
    answer = world.login_link(USER)
    assert (answer.status, shown(answer)) == (400, "refused")
    assert world.linked_to(USER) == ""


def test_ten_minutes_later_it_is_over() -> None:
    world = LinkWorld()
    browser = Browser(world)
    ticket = world.ways()["ticket"]
    address = world.to_line(browser, ticket)
    world.later(minutes=10, seconds=1)
    for answer in (
        browser.get(f"{BASE}/link/start?t={ticket}"),
        browser.post("/link/login", t=ticket),
        world.back(browser, world.login.consented(address, USER)),
    ):
        assert (answer.status, shown(answer)) == (410, "over")
    assert world.inbox_queue.total == 0


def test_a_login_begun_in_time_and_ended_too_late_links_nobody() -> None:
    world = LinkWorld()
    browser = Browser(world)
    ticket = world.ways()["ticket"]
    world.later(minutes=9)
    address = world.to_line(browser, ticket)
    world.later(minutes=5)
    answer = world.back(browser, world.login.consented(address, USER))
    assert (answer.status, shown(answer)) == (410, "over")
    assert world.linked_to(USER) == ""


def test_a_ticket_links_one_line_user_and_no_second() -> None:
    world = LinkWorld()
    ticket = world.ways()["ticket"]
    for user, expected in ((USER, "done"), ("U2", "over"), (USER, "done")):
        browser = Browser(world)
        answer = world.back(browser, world.login.consented(world.to_line(browser, ticket), user))
        assert shown(answer) == expected
    assert (world.linked_to(USER), world.linked_to("U2")) == ("c1", "")
    assert len(world.identities.audit_of(USER)) == 1


@pytest.mark.parametrize("token", ["", "forged", "a.b.c", "é", "x" * 3_000])
def test_a_ticket_that_is_none_opens_nothing(token: str) -> None:
    world = LinkWorld()
    browser = Browser(world)
    assert browser.get(f"{BASE}/link/start?t={token}").status == 400
    assert browser.post("/link/login", t=token).status == 400
    assert browser.cookies == {}


def test_a_token_for_something_else_is_no_ticket() -> None:
    world = LinkWorld()
    token = world.friend_token(USER)
    assert Browser(world).post("/link/login", t=token).status == 400


def test_ids_in_a_form_or_an_address_say_nothing() -> None:
    world = LinkWorld()
    browser = Browser(world)
    address = world.to_line(browser, world.ways()["ticket"], customer_id="victim", line_user_id="U9")
    world.back(browser, {**world.login.consented(address, USER), "customer_id": "victim", "user": "U9"})
    assert world.linked_to(USER) == "c1"
    assert world.linked_to("U9") == ""
    assert world.customers.load("victim") is None


@pytest.mark.parametrize(
    ("error", "status"),
    [(Rejected("no"), 400), (Retryable("x"), 503), (Unknown("x"), 503), (RateLimited("x"), 503)],
)
def test_what_line_does_not_confirm_links_nobody(error: Exception, status: int) -> None:
    world = LinkWorld()
    browser = Browser(world)
    query = world.login.consented(world.to_line(browser, world.ways()["ticket"]), USER)
    world.login.raises = error
    assert world.back(browser, query).status == status
    assert world.inbox_queue.total == 0


def test_where_line_does_not_tell_whether_somebody_is_a_friend_the_link_is_made() -> None:
    world = LinkWorld()
    world.link_tokens.raises = Retryable("no answer")
    answer = world.login_link(USER)
    assert shown(answer) == "done"
    assert "add-friend" not in answer.body
    assert world.linked_to(USER) == "c1"


def test_a_return_that_the_playbook_no_longer_allows_is_not_offered() -> None:
    world = LinkWorld()
    browser = Browser(world)
    address = world.to_line(browser, world.ways(return_url="https://shop.example/done")["ticket"])
    world.apply(linking_book(return_to=["https://new.example"]))
    answer = world.back(browser, world.login.consented(address, USER))
    assert shown(answer) == "done"
    assert "shop.example" not in answer.body


@pytest.mark.parametrize(
    ("conflict", "told", "owner"),
    [("review", "disputed", ""), ("keep", "disputed", "c0"), ("move", "done", "c1")],
)
def test_whoever_is_somebody_elses_is_told_so_and_not_that_they_are_linked(
    conflict: Literal["review", "keep", "move"], told: str, owner: str
) -> None:
    world = LinkWorld(linking_book(conflict=conflict))
    world.customer_with_line("c0", USER)
    world.later(minutes=1)
    assert shown(world.login_link(USER)) == told
    assert world.linked_to(USER) == owner
    link = world.identities.link_of(USER)
    assert link is not None
    assert link.customer_id == (owner or "c0")


def test_whatever_crashes_the_next_try_links_once() -> None:
    tickets: dict[int, str] = {}

    def fresh() -> LinkWorld:
        world = LinkWorld()
        tickets[id(world)] = world.ways()["ticket"]
        return world

    def act(world: World) -> None:
        assert isinstance(world, LinkWorld)
        for _ in range(2):
            browser = Browser(world)
            with contextlib.suppress(Crash):
                world.back(browser, world.login.consented(world.to_line(browser, tickets[id(world)]), USER))
        world.run()

    def check(world: World) -> None:
        assert isinstance(world, LinkWorld)
        assert world.linked_to(USER) == "c1"
        assert len(world.identities.audit_of(USER)) == 1

    assert crash_everywhere(fresh, act, check) > 20


def test_pages_let_nothing_in_and_tell_nothing_on() -> None:
    world = LinkWorld()
    page = Browser(world).get(f"{BASE}/link/start?t={world.ways()['ticket']}")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert f"form-action 'self' {ACCESS}" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "<script" not in page.body
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-frame-options"] == "DENY"
    assert "&lt;b&gt;ニュース" in page.body


def test_pages_speak_the_language_that_is_asked_for() -> None:
    world = LinkWorld()
    ticket = world.ways()["ticket"]
    for language, asked, shown_lang in (
        ("ja-JP,en;q=0.5", "", "ja"),
        ("en-US,ja;q=0.5", "", "en"),
        ("fr", "", "en"),
        ("", "", "ja"),
        ("en", "&lang=ja", "ja"),
        ("ja", "&lang=en", "en"),
        ("ja", "&lang=xx", "ja"),
    ):
        page = Browser(world, language).get(f"{BASE}/link/start?t={ticket}{asked}")
        assert f'<html lang="{shown_lang}">' in page.body


def test_what_is_not_there_is_said_so() -> None:
    world = LinkWorld()
    for method, path in (("GET", "/link/nothing"), ("POST", "/link/start"), ("DELETE", "/link/login")):
        assert world.link.answer(Request(method, path)).status == 404
    assert world.link.answer(Request("POST", "/link/login", body=b"x" * 20_000)).status == 413
