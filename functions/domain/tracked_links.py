"""Tracked links: which links a message has, the address of ours that stands in for each, and the click that comes of it.

What a click must know stands in its address, signed, so that a redirect reads no table: where it leads, whose it is, of
which send and link, and until when it is good.
"""

import base64
import binascii
import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from functions.domain.events import Event
from functions.domain.instants import Instant
from functions.domain.linking_attempts import origin_of
from functions.domain.message_limits.actions import URI_CHARACTERS_MAX
from functions.domain.playbook import Links
from functions.domain.sends import Intent

Content = list[dict[str, Any]]
Place = tuple[str | int, ...]
Agent = Literal["person", "preview", "bot"]

LABEL_CHARACTERS_MAX = 40
OWN_PATHS = ("/link/", "/c/")
"""Our own signed pages, under the address at which browsers find us: they are left as they are."""
_ADDRESS = re.compile(r"https?://[^\s、。」)）]+")
_TEXTS = ("text", "textV2")


class FoundLink(msgspec.Struct, frozen=True):
    """A link in a message: where it stands, where it leads, and what people tap (empty in a text)."""

    place: Place
    address: str
    label: str = ""


class Click(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a tracked address says. `link`: the number of the link in its message, from 1, and its label."""

    address: str
    send_id: str
    customer_id: str
    link: str
    expires_at: Instant
    step: str = ""
    scenario: str = ""
    campaign: str = ""
    variant: str = ""


def links_in(content: Content, *, in_text: bool = False) -> list[FoundLink]:
    """Every link to a web page that people may tap, in order: of actions and image maps, and of texts where `in_text`."""
    found = [one for number, part in enumerate(content) for one in _in_part(part, (number,))]
    if in_text:
        found += [
            FoundLink((number, "text"), address)
            for number, part in enumerate(content)
            for address in _ADDRESS.findall(_text_of(part))
        ]
    return [one for one in found if _ADDRESS.match(one.address)]


def _in_part(part: Any, place: Place) -> Iterator[FoundLink]:
    if isinstance(part, dict):
        yield from _own(part, place)
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, item in items:
        yield from _in_part(item, (*place, key))


def _own(part: Mapping[str, Any], place: Place) -> Iterator[FoundLink]:
    """The links of one object: an action's, its other one for desktops, an image map's."""
    label = str(part.get("label") or "")
    if part.get("type") == "uri" and isinstance(part.get("uri"), str):
        yield FoundLink((*place, "uri"), part["uri"], label)
    desktop = part.get("altUri")
    if isinstance(desktop, dict) and isinstance(desktop.get("desktop"), str):
        yield FoundLink((*place, "altUri", "desktop"), desktop["desktop"], label)
    if isinstance(part.get("linkUri"), str):
        yield FoundLink((*place, "linkUri"), part["linkUri"], label)


def _text_of(part: Mapping[str, Any]) -> str:
    """A text message's text; empty for other messages, and where emoji stand at counts of its characters."""
    is_text = part.get("type") in _TEXTS and isinstance(part.get("text"), str) and not part.get("emojis")
    return str(part["text"]) if is_text else ""


def may_track(address: str, origins: Sequence[str]) -> bool:
    """Whether a tracked link may lead there: under one of the playbook's origins, read in one way only."""
    origin = origin_of(address)
    return origin is not None and origin in origins


def rewritten(
    content: Content, links: Links, base_url: str, address_for: Callable[[FoundLink, int], str]
) -> tuple[Content, int]:
    """The content with an address of ours for each link that may be tracked, and how many were too long for LINE.

    `address_for` is given the link and its number. Links elsewhere, to our own pages and what is no web page stay.
    """
    own = tuple(f"{base_url}{path}" for path in OWN_PATHS)
    changes: dict[Place, list[tuple[str, str]]] = {}
    too_long = 0
    for number, link in enumerate(links_in(content, in_text=links.in_text), 1):
        if link.address.startswith(own) or not may_track(link.address, links.to):
            continue
        ours = address_for(link, number)
        if len(ours) > URI_CHARACTERS_MAX:
            too_long += 1
            continue
        changes.setdefault(link.place, []).append((link.address, ours))
    return (_changed(content, changes, ()) if changes else content), too_long


def _changed(part: Any, changes: Mapping[Place, list[tuple[str, str]]], place: Place) -> Any:
    if isinstance(part, dict):
        return {key: _changed(item, changes, (*place, key)) for key, item in part.items()}
    if isinstance(part, list):
        return [_changed(item, changes, (*place, number)) for number, item in enumerate(part)]
    if place not in changes:
        return part
    ours = iter(changes[place])
    following = next(ours, None)

    def once(match: re.Match[str]) -> str:
        """Each address in turn: those that stay are passed by."""
        nonlocal following
        if following is None or match[0] != following[0]:
            return match[0]
        address, following = following[1], next(ours, None)
        return address

    return _ADDRESS.sub(once, part) if place[-1] == "text" else changes[place][0][1]


def click_for(intent: Intent, link: FoundLink, number: int, expires: dt.timedelta) -> Click:
    """What the address of one link says: the same in every attempt."""
    label = " ".join(link.label.split())[:LABEL_CHARACTERS_MAX]
    return Click(
        address=link.address,
        send_id=intent.send_id,
        customer_id=intent.customer_id,
        link=f"{number} {label}".rstrip(),
        expires_at=intent.made_at + expires,
        step=intent.step,
        scenario=intent.scenario,
        campaign=intent.campaign,
        variant=intent.variant,
    )


_KEYS = {"step": "p", "scenario": "j", "campaign": "g", "variant": "v"}
"""Field → its key in a token: addresses have to be short."""


def payload_of(click: Click) -> dict[str, Any]:
    """A click as the payload of a token."""
    send_id = base64.urlsafe_b64encode(uuid.UUID(click.send_id).bytes).decode().rstrip("=")
    payload = {
        "a": click.address,
        "s": send_id,
        "c": click.customer_id,
        "l": click.link,
        "x": int(click.expires_at.timestamp()),
    }
    return payload | {key: getattr(click, name) for name, key in _KEYS.items() if getattr(click, name)}


def click_of(payload: Mapping[str, Any]) -> Click:
    """A token's payload as a click. Raises ValueError where it is none."""
    texts = [payload.get(key) for key in ("a", "s", "c", "l")]
    expires = payload.get("x")
    if not all(isinstance(text, str) and text for text in texts) or type(expires) is not int:
        raise ValueError("a token of another form")
    address, send_id, customer_id, link = map(str, texts)
    if origin_of(address) is None:
        raise ValueError("an address that two readers could read differently")
    try:
        named = str(uuid.UUID(bytes=base64.urlsafe_b64decode(f"{send_id}==")))
        at = dt.datetime.fromtimestamp(expires, dt.UTC)
    except (binascii.Error, OverflowError, OSError) as error:
        raise ValueError("a token of another form") from error
    more = {name: str(payload.get(key, "")) for name, key in _KEYS.items()}
    return Click(address, named, customer_id, link, at, **more)


def event_of(click: Click, agent: Agent, request_id: str, at: Instant) -> Event:
    """That a link was followed, or looked at by a machine. One request is one event, however often it is delivered."""
    more = {name: getattr(click, name) for name in _KEYS if getattr(click, name)}
    return Event(
        event_id=f"line:click:{request_id}",
        customer_id=click.customer_id,
        name="link_clicked" if agent == "person" else "link_previewed",
        occurred_at=at,
        source="click",
        properties={"send_id": click.send_id, "link": click.link, **more, "agent": agent},
    )


_PREVIEWS = (
    "line-poker",
    "facebookexternalhit",
    "twitterbot",
    "slackbot",
    "discordbot",
    "whatsapp",
    "telegrambot",
)
_BOTS = re.compile(
    r"(?<!cu)bot\b|bot[/;_-]|crawl|spider|slurp|preview|scanner|monitor|headless|lighthouse|curl/|wget/|python-|aiohttp"
    r"|httpx|go-http-client|java/|okhttp|libwww|axios|node-fetch|postman"
)


def agent_of(method: str, user_agent: str, purposes: Sequence[str]) -> Agent:
    """Who asks. `purposes`: what browsers say of pages that they fetch before anybody asked for them (Purpose,
    Sec-Purpose, X-Purpose, X-Moz). Nobody is taken for a person who does not say what browser it is."""
    said = user_agent.lower()
    if any(name in said for name in _PREVIEWS):
        return "preview"
    if method == "HEAD" or any(
        word in one.lower() for one in purposes for word in ("prefetch", "preview", "prerender")
    ):
        return "preview"
    if not said or _BOTS.search(said):
        return "bot"
    return "person"
