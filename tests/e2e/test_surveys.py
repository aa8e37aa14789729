"""A friend comes by a poster, follows, is asked, answers in the chat, thinks again; and the segments hold."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from infra.bundle import ROOT
from ops.customer_card import card_of, find_customer
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e

SEGMENTS = """
dry_friends: {when: concern == "dryness", report: true}
oily_friends: {when: 'concern == "oiliness" and "concern_oiliness" in tags', report: true}
serum_friends: {when: welcome_items_serum == True, report: true}
told_friends: {when: surveys.count >= 3 and welcome_since_answered == True, report: true}
till_friends: {when: 'inflow_source == "till" and "by_hand" in tags', report: true}
"""


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture(scope="module")
def in_force(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The ready-made shop playbook, which asks its survey right after the follow, at any hour."""
    directory = tmp_path_factory.mktemp("playbooks") / "asking"
    shutil.copytree(ROOT / "playbooks" / "ec", directory)
    change(directory / "scenarios" / "welcome_survey.yaml", "on: false", "on: true")
    change(directory / "scenarios" / "welcome_survey.yaml", '  - wait: {day: 1, at: "19:30"}\n', "")
    hours = "kinds: [support, notification, promotion]}"
    change(directory / "playbook.yaml", hours, "kinds: [notification, promotion]}")
    with (directory / "segments.yaml").open("a", encoding="utf-8") as file:
        file.write(SEGMENTS)
    shop.apply(str(directory))
    yield
    shop.apply("--previous")


class Friend:
    """Somebody with LINE: what they were shown, and what they tap."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.customer, self.user = shop.new_customer()

    def shown(self) -> list[str]:
        return [
            json.dumps(delivery.messages, ensure_ascii=False)
            for delivery in self.shop.line.deliveries(self.user)
            if delivery.delivered
        ]

    def count(self, text: str) -> int:
        return sum(text in one for one in self.shown())

    def tap(self, question: str, value: str) -> None:
        """A button that was really shown."""
        found = re.findall(rf'"(survey=[^"]*&q={question}&a={re.escape(value)})"', "".join(self.shown()))
        assert found, (question, value)
        self.shop.line.postback(self.user, found[0])
        self.shop.clock.settle()

    def card(self) -> dict[str, Any]:
        known = find_customer(self.shop.stores, self.user)
        assert known is not None
        return card_of(self.shop.stores, known)

    def come_by(self, url: str) -> urllib3.BaseHTTPResponse:
        """Open a poster's address, log in at LINE, and come back."""
        door = urllib3.request("GET", url, redirect=False)
        assert door.status == 303, door.data
        cookie = door.headers["set-cookie"].partition(";")[0]
        back = self.shop.line.log_in(door.headers["location"], self.user)
        return urllib3.request("GET", back, headers={"cookie": cookie}, redirect=False)


def test_a_friend_is_asked_answers_thinks_again_and_is_in_the_right_segments(
    shop: Shop, in_force: None, tmp_path: Path
) -> None:
    friend = Friend(shop)
    made = shop.musubi("links", "source", "create", "till", "--out", str(tmp_path))
    assert made.exit_code == 0, made.output
    assert (tmp_path / "till.png").stat().st_size > 200
    url = made.stdout.splitlines()[0]
    shop.line.phone(user_id=friend.user, consent="ask", add_friend=False, cancel_next=False)
    assert friend.come_by(url).status == 200

    shop.line.follow(friend.user)
    shop.clock.settle()
    assert friend.count("いちばん気になることは") == 1

    friend.tap("concern", "dryness")
    assert friend.count("すべて選んでください") == 1
    friend.tap("items", "serum")
    friend.tap("items", "~done")
    assert friend.count("いつごろから") == 1
    shop.line.message(friend.user, "この冬から")
    shop.clock.settle()
    assert friend.count("あなたに合うお手入れ") == 1

    card = friend.card()
    assert {"dry_friends", "serum_friends", "told_friends"} <= set(card["segments"])
    assert card["attributes"]["welcome_since"] == "この冬から"

    shop.pass_time(minutes=5)
    friend.tap("concern", "oiliness")
    shop.line.postback(friend.user, "survey=welcome&v=00000000&q=concern&a=dryness")
    shop.line.postback(friend.user, "survey=nothing&v=00000000&q=concern&a=dryness")
    tagged = shop.musubi("tag", "add", friend.user, "by_hand", "--why", "she asked")
    assert tagged.exit_code == 0, tagged.output
    shop.clock.settle()
    assert [friend.count(text) for text in ("いちばん気になる", "いつごろから", "あなたに合う")] == [1, 1, 1]

    shop.post(shop.linked(friend.customer, friend.user))
    shop.clock.settle()
    card = friend.card()
    assert card["customer_id"] == friend.customer
    assert {"oily_friends", "serum_friends", "till_friends"} <= set(card["segments"])
    assert "dry_friends" not in card["segments"]
    assert card["tags"] == ["by_hand", "concern_oiliness"]
    steps = [one["step"] for one in card["sends"] if one["scenario"] == "welcome_survey"]
    assert sorted(steps) == ["welcome.concern", "welcome.items", "welcome.since", "welcome.thanks"]
    assert {one["status"] for one in card["sends"]} == {"sent"}
