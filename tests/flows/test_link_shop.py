"""POST /links: the shop's server alone says who a customer is."""

import json
from typing import Any

import pytest

from functions.link.answers import Request
from tests.fakes.link_world import ACCESS, BASE, LinkWorld, linking_book, query_of
from tests.fakes.world import INGEST_KEY


def test_the_shop_gets_every_way_and_none_of_them_tells_the_customer() -> None:
    world = LinkWorld()
    ways = world.ways("C-secret", consent=["marketing"], lang="en")
    assert ways["login_url"] == f"{BASE}/link/start?t={ways['ticket']}&lang=en"
    assert ways["liff_url"] == f"https://liff.example/app?t={ways['ticket']}"
    assert len(ways["code"]) == 8
    assert ways["expires_at"] == "2026-11-02T03:10:00Z"
    read = world.tokens._serializer("ticket").load_payload(ways["ticket"].encode().rsplit(b".", 2)[0])
    assert "C-secret" not in json.dumps(ways) + json.dumps(read)
    assert world.inbox_queue.total == 0


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer wrong", INGEST_KEY, f"Basic {INGEST_KEY}", "Bearer é"]
)
def test_without_the_key_nothing_is_begun(authorization: str) -> None:
    world = LinkWorld()
    assert world.asked(authorization, customer_id="c1").status == 401
    assert world.link_attempts._bodies == {}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "customer_id"),
        ({"customer_id": ""}, "customer_id"),
        ({"customer_id": 7}, "customer_id"),
        ({"customer_id": "anon:U1"}, "reserved"),
        ({"customer_id": "c" * 129}, "128"),
        ({"customer_id": "\ud800"}, "Unicode"),
        ({"customer_id": "c1", "line_user_id": "U1"}, "line_user_id"),
        ({"customer_id": "c1", "consent": "marketing"}, "consent"),
        ({"customer_id": "c1", "consent": ["spam"]}, "marketing, news"),
        ({"customer_id": "c1", "consent": [["x"]]}, "marketing, news"),
        ({"customer_id": "c1", "consent_version": "v" * 65}, "64"),
        ({"customer_id": "c1", "lang": "fr"}, "lang"),
        ({"customer_id": "c1", "reward": 1}, "reward"),
        ({"customer_id": "c1", "return_url": "https://evil.example"}, "return_to"),
        ({"customer_id": "c1", "return_url": "https://shop.example@evil.example"}, "return_to"),
        ({"customer_id": "c1", "return": "forged"}, "return token"),
    ],
)
def test_a_mistake_is_answered_with_how_to_mend_it(body: dict[str, Any], told: str) -> None:
    world = LinkWorld()
    answer = world.asked(**body)
    assert answer.status == 400
    assert told in json.loads(answer.body)["message"]
    assert world.link_attempts._bodies == {}


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"null", b"[" * 10_000, b"x" * 16_385])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    world = LinkWorld()
    request = Request("POST", "/links", body=body, authorization=f"Bearer {INGEST_KEY}")
    assert world.link.answer(request).status in (400, 413)
    assert world.link.answer(Request("GET", "/links")).status == 405


def test_a_code_that_another_attempt_has_is_drawn_anew() -> None:
    world = LinkWorld()
    world.random.codes = ["ABCD2345"]
    assert world.ways("c1")["code"] == "ABCD2345"
    world.random.codes = ["ABCD2345", "ABCDEFGH", "22334455", "WXYZ6789"]
    assert world.ways("c2")["code"] == "WXYZ6789"


def test_a_way_that_is_not_set_up_is_not_offered() -> None:
    world = LinkWorld()
    world.channels = {"login": False, "liff": ""}
    ways = world.ways()
    assert (ways["login_url"], ways["liff_url"]) == (None, None)
    assert ways["code"]


def test_a_reward_is_asked_for_only_where_the_playbook_lets_it() -> None:
    for allowed in (True, False):
        world = LinkWorld(linking_book(reward=allowed))
        ways = world.ways(reward=True)
        (attempt,) = [world.link_attempts.find(key) for key in world.link_attempts._bodies]
        assert attempt is not None
        assert attempt.reward is allowed
        assert ways["code"]


def test_the_dialog_gets_a_nonce_of_256_random_bits() -> None:
    world = LinkWorld()
    token = world.tokens.sign("return", {"u": "U1", "k": "link-token"})
    address = world.ways(**{"return": token})["dialog_url"]
    assert address.startswith(f"{ACCESS}/dialog/bot/accountLink?")
    query = query_of(address)
    assert query["linkToken"] == "link-token"
    assert len(query["nonce"]) * 6 >= 256
