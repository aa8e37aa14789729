"""A year of a real shop's purchases, and messages, clicks, blocks, corrections and merges laid over them by a seed."""

import datetime as dt
import json
import random
from collections.abc import Iterator
from typing import Any

import pandas as pd

from ops.demo.purchases import COUNTER, purchases_until
from ops.recount.happened import Happened

YEAR_ENDS = dt.datetime(2018, 1, 1, tzinfo=dt.UTC) - dt.timedelta(hours=9)
FIRST, LAST = dt.date(2017, 1, 1), dt.date(2017, 12, 31)
SEED = 20170606
_SOURCES = [
    {"scenario": "second_purchase", "campaign": "", "kind": "support"},
    {"scenario": "upsell", "campaign": "", "kind": "promotion"},
    {"scenario": "", "campaign": "weekly_picks", "kind": "promotion"},
]


class Shop:
    """Frames of facts: events, sends, clicks, friendships, people, memberships. `at` is UTC without a zone."""

    def __init__(self, seed: int = SEED) -> None:
        self._random = random.Random(seed)
        orders = [
            {
                "event_id": one.event_id,
                "customer_id": one.customer_id,
                "name": "purchase",
                "at": one.occurred_at.replace(tzinfo=None),
                "status": "confirmed",
                "imported": one.occurred_at.month < 3,
                "properties": dict(one.properties),
            }
            for one in purchases_until(YEAR_ENDS, COUNTER)
        ]
        self._people = sorted({str(order["customer_id"]) for order in orders})
        self.people = pd.DataFrame(self._merges())
        self.events = within_year(pd.DataFrame([*orders, *self._beside(orders)]))
        self.sends = pd.DataFrame(self._sends())
        self.clicks = within_year(pd.DataFrame(self._clicks()))
        self.friendships = within_year(pd.DataFrame(self._friendships()))
        self.memberships = pd.DataFrame(self._memberships())

    def tables(self) -> dict[str, pd.DataFrame]:
        """As the lake has them: properties are JSON."""
        events = self.events.assign(properties=self.events["properties"].map(json.dumps))
        named = ("sends", "clicks", "friendships", "people", "memberships")
        return {"events": events, **{name: getattr(self, name) for name in named}}

    def happened(self) -> Happened:
        """The same, for a recount."""
        return Happened(self.events, self.sends, self.clicks, self.friendships, self.people, self.memberships)

    def _moment(self) -> dt.datetime:
        return dt.datetime(2017, 1, 2) + dt.timedelta(seconds=self._random.randrange(362 * 86_400))  # noqa: DTZ001 — UTC

    def _merges(self) -> Iterator[dict[str, Any]]:
        """One in ten households was two customers before; every third had friends of its own before it was linked."""
        for number, who in enumerate(self._people):
            at = self._moment()
            yield {"customer_id": who, "owner": who, "linked": number % 3 != 2, "at": at, "seen_at": at}
            if number % 3 == 0:
                yield {"customer_id": f"anon:{who}", "owner": who, "linked": False, "at": at, "seen_at": at}
            if number % 20 == 1:
                into = self._people[number - 1]
                at += dt.timedelta(days=1)
                yield {"customer_id": who, "owner": into, "linked": False, "at": at, "seen_at": at}

    def _beside(self, orders: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Cancellations, returns (some before their order is told), coupons with and without an order, unconfirmed orders."""
        for number, order in enumerate(orders):
            about = {key: order[key] for key in ("customer_id", "status", "imported")}
            order_id, at, draw = order["properties"]["order_id"], order["at"], self._random.random()
            later = at + dt.timedelta(hours=self._random.randrange(-20, 900))
            if draw < 0.04:
                said = {
                    "event_id": f"c{number}",
                    "name": "order_cancelled",
                    "properties": {"order_id": order_id},
                }
                yield {**about, **said, "at": later}
            elif draw < 0.1:
                amount = max(1, order["properties"]["amount"] // 3)
                properties = {"order_id": order_id, "amount": amount}
                yield {
                    **about,
                    "event_id": f"r{number}",
                    "name": "item_returned",
                    "properties": properties,
                    "at": later,
                }
            if self._random.random() < 0.12:
                away = self._random.choice([-600, 900, 86_400 * 2])
                properties = {"coupon_id": f"k{number}", "amount": self._random.randrange(50, 300)}
                used = at + dt.timedelta(seconds=away)
                yield {
                    **about,
                    "event_id": f"k{number}",
                    "name": "coupon_used",
                    "properties": properties,
                    "at": used,
                }
            if self._random.random() < 0.03:
                yield {**order, "event_id": f"p{number}~provisional", "status": "provisional"}

    def _sends(self) -> Iterator[dict[str, Any]]:
        for number in range(11_000):
            who = self._random.choice(self._people)
            at, source = self._moment(), self._random.choice(_SOURCES)
            status = self._random.choices(["sent", "suppressed", "failed", "unknown"], [80, 15, 3, 2])[0]
            held_out = self._random.random() < 0.05
            yield {
                "send_id": f"s{number:05}",
                "customer_id": f"anon:{who}" if self._random.random() < 0.2 else who,
                "at": at,
                "made_at": at,
                "status": "suppressed" if held_out else status,
                "reason": ("holdout" if held_out else self._random.choice(["quiet", "capped:weekly"]))
                if held_out or status == "suppressed"
                else "",
                "held_out": held_out,
                **source,
                "run": f"weekly_picks@{at:%Y-%m}" if source["campaign"] else "",
                "step": self._random.choice(["care", "offer"]),
                "variant": self._random.choice(["", "sample", "free_shipping"]),
            }

    def _clicks(self) -> Iterator[dict[str, Any]]:
        sent = self.sends[self.sends["status"] == "sent"]
        for number, send in enumerate(sent.to_dict("records")):
            for again in range(self._random.choice([0, 0, 0, 1, 2])):
                at = send["at"] + dt.timedelta(hours=self._random.choice([0, 1, 30, 200, 340, 400]))
                agent = self._random.choice(["person", "person", "preview"])
                about = {"customer_id": send["customer_id"], "send_id": send["send_id"]}
                yield {**about, "click_id": f"k{number}-{again}", "at": at, "agent": agent}

    def _friendships(self) -> Iterator[dict[str, Any]]:
        sent = self.sends[self.sends["status"] == "sent"].to_dict("records")
        for number, who in enumerate(self._people):
            known_as = f"anon:{who}" if number % 3 == 0 else who
            follow = {"event_id": f"f{number}", "customer_id": known_as, "change": "follow"}
            yield {**follow, "at": dt.datetime(2017, 1, 1, 1)}  # noqa: DTZ001 — UTC
        for number, send in enumerate(self._random.sample(sent, 250)):
            at = send["at"] + dt.timedelta(hours=self._random.choice([1, 20, 23, 25, 200]), minutes=1)
            about = {"customer_id": send["customer_id"], "change": "block"}
            yield {**about, "event_id": f"b{number}", "at": at}

    def _memberships(self) -> Iterator[dict[str, Any]]:
        for who in self._people:
            for segment in ("vip", "repeat"):
                for change in ("entered", "left")[: self._random.choice([0, 1, 2])]:
                    at = self._moment()
                    yield {"customer_id": who, "segment": segment, "change": change, "at": at, "seen_at": at}


def within_year(frame: pd.DataFrame) -> pd.DataFrame:
    """What has happened by the end of the last day that is measured."""
    return frame[frame["at"] < YEAR_ENDS.replace(tzinfo=None)].reset_index(drop=True)
