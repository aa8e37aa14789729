"""Which links of a message are tracked, what their addresses say, and who is taken for a person."""

import datetime as dt
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.playbook import Links
from functions.domain.tracked_links import (
    Agent,
    Click,
    FoundLink,
    agent_of,
    click_of,
    event_of,
    links_in,
    payload_of,
    rewritten,
)

SHOP = "https://shop.example"
BASE = "https://api.example"
NOW = dt.datetime(2026, 11, 26, 3, 0, tzinfo=dt.UTC)
LINKS = Links(track=True, to=[SHOP])
SEND_ID = "0b2e6a2e-5a10-5f3c-9c37-1d0a3e5b7c11"
AGENTS: dict[Agent, list[str]] = json.loads(Path("events/click/agents.json").read_text(encoding="utf-8"))


def uri(address: str, label: str = "見る") -> dict[str, Any]:
    return {"type": "uri", "label": label, "uri": address}


FLEX: dict[str, Any] = {
    "type": "flex",
    "altText": "3品",
    "contents": {
        "type": "bubble",
        "hero": {"type": "image", "url": f"{SHOP}/a.jpg", "action": uri(f"{SHOP}/hero", "写真")},
        "footer": {"type": "box", "contents": [{"type": "button", "action": uri(f"{SHOP}/button")}]},
    },
}
IMAGEMAP: dict[str, Any] = {
    "type": "imagemap",
    "baseUrl": f"{SHOP}/map",
    "actions": [{"type": "uri", "linkUri": f"{SHOP}/left", "label": "左", "area": {}}],
    "video": {
        "originalContentUrl": f"{SHOP}/v.mp4",
        "externalLink": {"linkUri": f"{SHOP}/more", "label": "続き"},
    },
}
TEMPLATE: dict[str, Any] = {
    "type": "template",
    "template": {
        "type": "buttons",
        "defaultAction": uri(f"{SHOP}/all"),
        "actions": [uri("tel:0312345678"), uri(f"{SHOP}/one")],
    },
}
QUICK: dict[str, Any] = {
    "type": "text",
    "text": f"くわしくは {SHOP}/text をどうぞ。",
    "quickReply": {
        "items": [{"type": "action", "action": {**uri(f"{SHOP}/q"), "altUri": {"desktop": f"{SHOP}/desk"}}}]
    },
}
CONTENT = [FLEX, IMAGEMAP, TEMPLATE, QUICK]


def named(link: FoundLink, number: int) -> str:
    return f"{BASE}/c/{number}-{link.address.rpartition('/')[2]}"


def test_every_link_that_people_may_tap_is_found_and_no_picture() -> None:
    found = [one.address.removeprefix(SHOP) for one in links_in(CONTENT)]
    assert sorted(found) == sorted(["/hero", "/button", "/left", "/more", "/all", "/one", "/q", "/desk"])
    assert {one.label for one in links_in([FLEX])} == {"写真", "見る"}


def test_links_lead_by_us_and_everything_else_stays_as_it_is() -> None:
    changed, too_long = rewritten(CONTENT, LINKS, BASE, named)
    assert too_long == 0
    before, after = json.dumps(CONTENT), json.dumps(changed)
    for number, link in enumerate(links_in(CONTENT), 1):
        before = before.replace(json.dumps(link.address), json.dumps(named(link, number)))
    assert after == before
    assert f"{SHOP}/text" in changed[3]["text"]
    assert changed[2]["template"]["actions"][0]["uri"] == "tel:0312345678"


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/x",
        "http://shop.example/x",
        "https://shop.example.evil.example/x",
        "https://shop.example@evil.example/x",
        "https://shop.example:8443/x",
        "https://shop.example\\@evil.example/",
        "tel:0312345678",
        "mailto:shop@shop.example",
        "line://nv/chat",
        "https://line.me/R/ti/p/@shop",
        f"{BASE}/link/preferences?p=x",
        f"{BASE}/c/x",
    ],
)
def test_what_leads_elsewhere_or_to_our_own_pages_is_left_alone(address: str) -> None:
    links = Links(track=True, to=[SHOP, BASE])
    content = [{"type": "template", "template": {"actions": [uri(address)]}}]
    assert rewritten(content, links, BASE, named) == (content, 0)


def test_a_link_that_would_be_too_long_for_line_stays_and_is_counted() -> None:
    content = [{"type": "template", "template": {"actions": [uri(f"{SHOP}/a"), uri(f"{SHOP}/b")]}}]

    def address_for(_link: FoundLink, number: int) -> str:
        return "x" * (1_000 if number == 1 else 1_001)

    changed, too_long = rewritten(content, LINKS, BASE, address_for)
    assert [one["uri"] for one in changed[0]["template"]["actions"]] == ["x" * 1_000, f"{SHOP}/b"]
    assert too_long == 1


def test_addresses_in_texts_are_tracked_where_that_is_asked_for() -> None:
    texts: list[dict[str, Any]] = [
        {"type": "text", "text": f"▼見る\n{SHOP}/a\n{SHOP}/a/b、https://elsewhere.example/、{SHOP}/a。"},
        {"type": "text", "text": f"$ {SHOP}/a", "emojis": [{"index": 0}]},
    ]
    changed, _ = rewritten(texts, Links(track=True, to=[SHOP], in_text=True), BASE, named)
    assert (
        changed[0]["text"] == f"▼見る\n{BASE}/c/1-a\n{BASE}/c/2-b、https://elsewhere.example/、{BASE}/c/4-a。"
    )
    assert changed[1] == texts[1]
    assert rewritten(texts, LINKS, BASE, named) == (texts, 0)


NAMES = st.text(alphabet="abcdefghijklmnopqrstuvwxyz_0123456789", max_size=20)


@given(NAMES, NAMES, st.text(min_size=1, max_size=60), st.text(min_size=1, max_size=64), st.uuids())
def test_a_click_is_the_same_after_its_token(
    scenario: str, step: str, link: str, customer: str, send: Any
) -> None:
    click = Click(f"{SHOP}/x?a=1&b=%E3%81%82", str(send), customer, link, NOW, step, scenario)
    assert click_of(json.loads(json.dumps(payload_of(click)))) == click


@pytest.mark.parametrize(
    "changes",
    [
        {"a": "javascript:alert(1)"},
        {"a": "//evil.example"},
        {"a": "https://shop.example/\r\nset-cookie: a=b"},
        {"a": "https://shop.example/ x"},
        {"a": None},
        {"s": "short"},
        {"s": 1},
        {"c": ""},
        {"x": "soon"},
        {"x": True},
        {"x": 10**30},
    ],
)
def test_a_payload_of_another_form_is_no_click(changes: dict[str, Any]) -> None:
    payload = payload_of(Click(f"{SHOP}/x", SEND_ID, "c1", "1 見る", NOW))
    assert click_of(payload).customer_id == "c1"
    with pytest.raises(ValueError, match=r"token of another form|two readers"):
        click_of({**payload, **changes})


def test_a_persons_click_and_a_machines_look_are_two_events() -> None:
    click = Click(f"{SHOP}/x", SEND_ID, "c1", "1 見る", NOW, "day7", "second_purchase", "", "b")
    event = event_of(click, "person", "request-1", NOW)
    assert (event.name, event.event_id, event.customer_id) == ("link_clicked", "line:click:request-1", "c1")
    assert event.properties == {
        "send_id": SEND_ID,
        "link": "1 見る",
        "step": "day7",
        "scenario": "second_purchase",
        "variant": "b",
        "agent": "person",
    }
    assert [event_of(click, one, "r", NOW).name for one in get_args(Agent)] == [
        "link_clicked",
        "link_previewed",
        "link_previewed",
    ]


@pytest.mark.parametrize(
    ("agent", "said"), [(agent, said) for agent, every in AGENTS.items() for said in every]
)
def test_people_previews_and_bots_are_told_apart(agent: Agent, said: str) -> None:
    assert agent_of("GET", said, ["", ""]) == agent


@pytest.mark.parametrize(
    ("method", "purpose"),
    [("HEAD", ""), ("GET", "prefetch"), ("GET", "prefetch;prerender"), ("GET", "preview")],
)
def test_who_fetches_before_anybody_asked_is_no_person(method: str, purpose: str) -> None:
    assert agent_of(method, AGENTS["person"][0], [purpose]) == "preview"
