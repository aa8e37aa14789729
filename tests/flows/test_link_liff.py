"""Linking within LINE: only an ID token that LINE confirms says who it is."""

from urllib.parse import quote

import pytest

from functions.ports.errors import Rejected, Retryable
from tests.fakes.link_world import BASE, SDK, Browser, LinkWorld, shown

USER = "U1"


def test_an_id_token_of_liff_links() -> None:
    world = LinkWorld()
    ticket = world.ways()["ticket"]
    answer = Browser(world).post(
        "/link/liff", t=ticket, id_token=f"id:{USER}:", consent="news", version_news="n-1"
    )
    assert shown(answer) == "done"
    assert world.linked_to(USER) == "c1"
    link = world.identities.link_of(USER)
    assert link is not None
    assert link.method == "liff"
    assert world.gate("c1").consent["news"].value is True


@pytest.mark.parametrize("id_token", ["", "profile:U1", "id::", USER])
def test_what_line_does_not_confirm_links_nobody(id_token: str) -> None:
    world = LinkWorld()
    answer = Browser(world).post(
        "/link/liff", t=world.ways()["ticket"], id_token=id_token, userId=USER, line_user_id=USER
    )
    assert (answer.status, shown(answer)) == (400, "refused")
    assert world.linked_to(USER) == ""


def test_a_ticket_links_one_line_user_and_no_second() -> None:
    world = LinkWorld()
    ticket = world.ways()["ticket"]
    for user, expected in ((USER, "done"), ("U2", "over"), (USER, "done")):
        assert shown(Browser(world).post("/link/liff", t=ticket, id_token=f"id:{user}:")) == expected
    assert (world.linked_to(USER), world.linked_to("U2")) == ("c1", "")


def test_ten_minutes_later_it_is_over() -> None:
    world = LinkWorld()
    ticket = world.ways()["ticket"]
    world.later(minutes=10, seconds=1)
    assert shown(Browser(world).post("/link/liff", t=ticket, id_token=f"id:{USER}:")) == "over"
    assert shown(Browser(world).get(f"{BASE}/link/liff?t={ticket}")) == "over"


@pytest.mark.parametrize(("error", "status"), [(Rejected("x"), 400), (Retryable("x"), 503)])
def test_where_line_does_not_answer_nobody_is_linked(error: Exception, status: int) -> None:
    world = LinkWorld()
    world.login.raises = error
    answer = Browser(world).post("/link/liff", t=world.ways()["ticket"], id_token=f"id:{USER}:")
    assert answer.status == status
    assert world.linked_to(USER) == ""


@pytest.mark.parametrize("way", ["t={}", "liff.state={}"])
def test_the_page_bears_liffs_script_and_ours_and_no_other(way: str) -> None:
    world = LinkWorld()
    ticket = world.ways()["ticket"]
    given = ticket if way.startswith("t=") else quote(f"?t={ticket}", safe="")
    page = Browser(world).get(f"{BASE}/link/liff?{way.format(given)}")
    assert page.status == 200
    assert page.body.count("<script") == 2
    assert f'src="{SDK}"' in page.body
    assert f'src="{BASE}/link/liff.js"' in page.body
    policy = page.headers["content-security-policy"]
    assert "script-src 'self' https://static.line.example " in policy
    assert "unsafe" not in policy


def test_the_script_sends_the_id_token_and_no_profile() -> None:
    answer = Browser(LinkWorld()).get(f"{BASE}/link/liff.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "getIDToken" in answer.body
    assert "getProfile" not in answer.body
    assert "getDecodedIDToken" not in answer.body


def test_without_a_liff_app_the_page_says_so() -> None:
    world = LinkWorld()
    ticket = world.ways()["ticket"]
    world.channels["liff"] = ""
    assert shown(Browser(world).get(f"{BASE}/link/liff?t={ticket}")) == "no_liff"
