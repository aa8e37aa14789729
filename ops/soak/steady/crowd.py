"""What customers do: the shop's CRM tells most of it, ten to twenty events a request; LINE tells the rest."""

import random
from collections.abc import Iterator
from heapq import merge
from itertools import count
from typing import Any, Literal

import msgspec

Act = Literal["crm", "chat", "follow", "block"]
CRM_SHARE = 0.8
"""Four of five events come from the CRM."""
CRM_EVENTS = (10, 20)
CHAT_EVENTS = 6
CHATS_BETWEEN = 10
"""So many requests of chats come between newcomers: a shop's friends grow by some percent a day, not by half."""
FOLLOWERS_FROM = 10_000_000
"""LINE users that nobody knows before they follow have numbers from here on."""
NAMES = {
    "product_view": 60,
    "cart_left": 12,
    "purchase": 14,
    "profile_updated": 6,
    "inquiry_opened": 2,
    "inquiry_closed": 3,
    "consent_withdrawn": 1,
    "consent_given": 2,
}
TEXTS = {"こんにちは": 90, "ありがとうございます": 6, "配信停止": 2, "配信再開": 2}
CATEGORIES = ("skincare", "makeup", "hair", "device")


class Deed(msgspec.Struct, frozen=True):
    """One event: who, what, and what more there is to say. `id` is a CRM event's own; LINE gives its events theirs."""

    who: int
    name: str
    properties: dict[str, Any] = {}
    id: str = ""


class Deeds(msgspec.Struct, frozen=True, kw_only=True):
    """One request: when it is due, how it comes, and the events in it."""

    due_seconds: float
    act: Act
    deeds: tuple[Deed, ...]

    @property
    def events(self) -> int:
        """How many events it brings."""
        return len(self.deeds)


def requests_of(events_per_second: float, customers: int, seed: int = 20261126) -> Iterator[Deeds]:
    """All requests in the order in which they are due, without end; the same for the same seed."""
    crm = _crm(events_per_second * CRM_SHARE, customers, random.Random(seed))  # noqa: S311 — a made-up shop
    line = _line(events_per_second * (1 - CRM_SHARE), customers, random.Random(seed + 1))  # noqa: S311
    return merge(crm, line, key=lambda request: request.due_seconds)


def _crm(rate: float, customers: int, dice: random.Random) -> Iterator[Deeds]:
    told = 0
    while True:
        size = dice.randint(*CRM_EVENTS)
        due, numbers = told / rate, range(told, told + size)
        told += size
        yield Deeds(
            due_seconds=due,
            act="crm",
            deeds=tuple(_told_by_crm(number, customers, dice) for number in numbers),
        )


def _told_by_crm(number: int, customers: int, dice: random.Random) -> Deed:
    name = _one_of(NAMES, dice)
    amount, category = dice.randrange(10, 200) * 100, dice.choice(CATEGORIES)
    more: dict[str, dict[str, Any]] = {
        "product_view": {"product_id": f"p{dice.randrange(300)}", "category": category},
        "cart_left": {"cart_id": f"cart-{number}", "amount": amount},
        "purchase": {"order_id": f"order-{number}", "amount": amount, "category": category},
        "profile_updated": {"family_name": dice.choice(("佐藤", "鈴木", "高橋", "田中"))},
        "consent_withdrawn": {"purpose": "marketing"},
        "consent_given": {"purpose": "marketing", "version": "1"},
    }
    return Deed(dice.randrange(customers), name, more.get(name, {}), f"steady-{number}")


def _line(rate: float, customers: int, dice: random.Random) -> Iterator[Deeds]:
    """By turns: what customers say and tap, two newcomers, one who blocks, one who comes back."""
    told, newcomers, away = 0, count(FOLLOWERS_FROM), list[int]()
    while True:
        first, second = next(newcomers), next(newcomers)
        turns: list[tuple[Act, tuple[Deed, ...]]] = [
            *(("chat", _chat(customers, dice)) for _ in range(CHATS_BETWEEN)),
            ("follow", (Deed(first, "follow"),)),
            ("follow", (Deed(second, "follow"),)),
            ("block", (Deed(first, "unfollow"),)),
        ]
        if away:
            turns.append(("follow", (Deed(away.pop(0), "follow"),)))
        away.append(first)
        for act, deeds in turns:
            yield Deeds(due_seconds=told / rate, act=act, deeds=deeds)
            told += len(deeds)


def _chat(customers: int, dice: random.Random) -> tuple[Deed, ...]:
    return tuple(_said(dice.randrange(customers), dice) for _ in range(CHAT_EVENTS))


def _said(who: int, dice: random.Random) -> Deed:
    if dice.random() < 0.3:  # noqa: PLR2004 — three of ten tap a button
        return Deed(who, "postback", {"data": f"menu={dice.randrange(6)}"})
    return Deed(who, "message", {"text": _one_of(TEXTS, dice)})


def _one_of(weights: dict[str, int], dice: random.Random) -> str:
    return dice.choices(list(weights), list(weights.values()))[0]
