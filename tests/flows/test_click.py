"""Tracked links through the flows: sent, tapped, led on, counted once; and what leads nowhere."""

import base64
import dataclasses
import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from functions.addresses import SignedAddresses
from functions.click.flow import Answer, Follow, Visit
from functions.domain.playbook import Links, Message, Playbook
from functions.ports.errors import Retryable
from functions.tokens import Tokens
from tests.fakes.playbooks import campaign, playbook, scenario, send
from tests.fakes.queues import FakeInbox
from tests.fakes.world import LINK_KEY, LINK_URL, World

SHOP = "https://shop.example"
PERSON = json.loads(Path("events/click/tap.json").read_text(encoding="utf-8"))["headers"]["user-agent"]
POKER = "facebookexternalhit/1.1;line-poker/1.0"
DAY = dt.timedelta(days=1)


def button(address: str, label: str = "見る") -> dict[str, Any]:
    action = {"type": "uri", "label": label, "uri": address}
    return {
        "type": "template",
        "altText": "a",
        "template": {"type": "buttons", "text": "t", "actions": [action]},
    }


def book(**changes: Any) -> Playbook:
    messages = {
        "offer": Message(
            "promotion",
            "hash-offer",
            [button(f"{SHOP}/offer?for={{{{ name }}}}")],
            {"name": "you"},
            tracked=True,
        )
    }
    made = playbook(
        scenarios={"path": scenario("purchase", send("offer"))},
        messages=messages,
        segments={"clicked": "link_clicked.count >= 1", "of_path": '"path" in link_clicked.scenario'},
    )
    return msgspec.structs.replace(
        made, links=Links(track=True, expires_seconds=30 * 86_400, to=[SHOP]), **changes
    )


class Shopping(World):
    """A world with the click function."""

    def __init__(self, made: Playbook | None = None) -> None:
        super().__init__(made or book())
        self.customer_with_line()
        self.requests = 0
        self.follow = Follow(
            Tokens(lambda: [LINK_KEY], self.clock), FakeInbox(self.inbox_queue), self.measures, self.clock
        )

    def sent(self) -> str:
        """The address in the message that was delivered last."""
        self.ingest(self.purchase("c1"))
        self.run()
        return str(self.line.pushes[-1].messages[0]["template"]["actions"][0]["uri"])

    def visit(self, address: str, *, user_agent: str = PERSON, request_id: str = "", **more: Any) -> Answer:
        assert address.startswith(f"{LINK_URL}/c/"), address
        self.requests += 1
        token = address.rpartition("/")[2]
        return self.follow.answer(
            Visit(more.pop("method", "GET"), token, request_id or f"r{self.requests}", user_agent, **more)
        )

    def count(self, alias: str = "link_clicked") -> int:
        self.run()
        tally = self.customer().profile.tallies.get(alias)
        return tally.count if tally else 0


def test_a_tap_leads_on_to_the_shop_and_is_an_event_of_the_customer() -> None:
    world = Shopping()
    answer = world.visit(world.sent())
    assert (answer.status, answer.headers["location"]) == (302, f"{SHOP}/offer?for=you")
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert world.count() == 1
    (event,) = [one for one in world.events.all_of("c1") if one.name == "link_clicked"]
    (record,) = world.records()
    assert event.properties == {
        "send_id": record.send_id,
        "link": "1 見る",
        "step": "offer",
        "scenario": "path",
        "agent": "person",
    }
    members = {name for name, one in world.book.segments.items() if one.hash in world.customer().segments}
    assert {"clicked", "of_path"} <= members or not world.customer().segments_of


def test_a_redelivered_click_counts_once_and_a_second_tap_twice() -> None:
    world = Shopping()
    address = world.sent()
    world.visit(address, request_id="same")
    world.visit(address, request_id="same")
    assert world.count() == 1
    world.visit(address)
    assert world.count() == 2


@pytest.mark.parametrize(
    "visit",
    [
        {"user_agent": POKER},
        {"method": "HEAD"},
        {"purposes": ("prefetch",)},
        {"user_agent": "curl/8.5.0"},
        {"user_agent": ""},
    ],
)
def test_a_machines_look_is_led_on_and_is_no_click(visit: dict[str, Any]) -> None:
    world = Shopping()
    assert world.visit(world.sent(), **visit).status == 302
    assert (world.count(), world.count("link_previewed")) == (0, 1)


def test_every_attempt_of_a_message_has_the_same_bytes() -> None:
    world = Shopping()
    world.line.script.extend(["accept_then_timeout", "timeout"])
    world.sent()
    world.advance(days=1)
    (push,) = world.line.pushes
    assert world.records()[0].status == "sent"
    assert len(world.line.calls) > 2
    assert push.messages[0]["template"]["actions"][0]["uri"].startswith(f"{LINK_URL}/c/")


def test_a_link_is_good_until_it_expires_and_then_shows_a_page() -> None:
    world = Shopping()
    address = world.sent()
    world.now += 30 * DAY - dt.timedelta(minutes=1)
    assert world.visit(address).status == 302
    world.now += dt.timedelta(minutes=2)
    gone = world.visit(address, accept_language="en-US,en;q=0.9")
    assert gone.status == 410
    assert "location" not in gone.headers
    assert "expired" in gone.body
    assert world.count() == 1
    world.now += 400 * DAY
    assert world.visit(address).status == 410


def test_a_forged_changed_or_foreign_token_leads_nowhere() -> None:
    world = Shopping()
    address = world.sent()
    token = address.rpartition("/")[2]
    others = Tokens(lambda: ["x" * 43], world.clock)
    payload = {"a": "https://evil.example", "s": "A" * 22, "c": "c1", "l": "1", "x": 4_000_000_000}
    ours = Tokens(lambda: [LINK_KEY], world.clock)
    for forged in (
        "",
        "x",
        "a.b.c",
        token[:-1],
        token[1:],
        token.replace(".", "..", 1),
        others.sign("click", payload),
        ours.sign("preferences", {"u": "U1"}),
        ours.sign("return", payload),
        ours.sign("click", {**payload, "a": "javascript:alert(1)"}),
        ours.sign("click", {"u": "U1"}),
        "é" * 20,
        "a" * 1_001,
        f"{token}\r\nlocation: https://evil.example",
    ):
        answer = world.visit(f"{LINK_URL}/c/" + forged.replace("/", ""))
        assert (answer.status, "location" in answer.headers) == (404, False), forged
        assert "evil" not in answer.body
    assert world.inbox_queue.waiting == []


def test_a_queue_that_takes_nothing_in_keeps_nobody_from_the_shop_and_is_counted() -> None:
    world = Shopping()
    address = world.sent()

    class Broken:
        def put(self, _messages: Any) -> None:
            raise Retryable("the inbox is down")

    world.follow = dataclasses.replace(world.follow, inbox=Broken())
    assert world.visit(address).status == 302
    assert world.measures.last["ClicksLost"] == 1


def test_the_click_of_a_merged_friend_is_the_customers() -> None:
    world = Shopping()
    world.befriend("U2")
    world.webhook(world.line_event("follow", "U2"))
    world.run()
    ours = Tokens(lambda: [LINK_KEY], world.clock)
    payload = {"a": SHOP, "s": "A" * 22, "c": "anon:U2", "l": "1", "x": 4_000_000_000}
    address = f"{LINK_URL}/c/{ours.sign('click', payload)}"
    world.advance(minutes=1)
    world.ingest(world.linked("c2", "U2"))
    world.run()
    world.advance(minutes=1)
    world.visit(address)
    world.run()
    assert world.customer("c2").profile.tallies["link_clicked"].count == 1


def test_a_message_with_tracked_links_is_told_to_each_alone() -> None:
    def run(*, tracked: bool) -> World:
        news = Message("support", "hash-news", [button(f"{SHOP}/news")], tracked=tracked)
        made = playbook(
            campaigns={"news": campaign("news", once=dt.datetime(2026, 11, 3, 3, 0, tzinfo=dt.UTC))},
            messages={"news": news},
        )
        world = World(msgspec.structs.replace(made, links=Links(track=True, to=[SHOP])))
        world.evaluation = dataclasses.replace(world.evaluation, multicast_min=2)
        for number in range(5):
            world.customer_with_line(f"c{number}", f"U{number}")
        world.advance(days=2)
        return world

    together, alone = run(tracked=False), run(tracked=True)
    assert together.line.multicasts
    assert alone.line.multicasts == []
    addresses = {push.messages[0]["template"]["actions"][0]["uri"] for push in alone.line.pushes}
    assert len(addresses) == 5
    assert all(address.startswith(f"{LINK_URL}/c/") for address in addresses)


def test_a_rotated_key_still_reads_what_the_old_one_signed() -> None:
    world = Shopping()
    address = world.sent()
    world.follow = dataclasses.replace(world.follow, tokens=Tokens(lambda: [LINK_KEY, "n" * 43], world.clock))
    assert world.visit(address).status == 302


def test_a_link_that_comes_to_a_thousand_characters_is_sent_as_it_is() -> None:
    # Nothing that a token could be made shorter of.
    said = b"".join(hashlib.sha256(bytes([one])).digest() for one in range(20))
    long = f"{SHOP}/{base64.urlsafe_b64encode(said).decode().rstrip('=')}"
    assert len(long) < 1_000
    offer = Message("promotion", "hash-offer", [button(long)], tracked=True)
    assert Shopping(book(messages={**book().messages, "offer": offer})).sent() == long


def test_links_elsewhere_are_never_signed() -> None:
    made = SignedAddresses(lambda: [LINK_KEY], LINK_URL)
    world = Shopping()
    intent = world.intent("offer")
    content = [button("https://evil.example/")]
    assert made.tracked(intent, world.book.links, content) == content
