"""Who is who, what was bought, what was sent, and which message an order goes to."""

import datetime as dt
import math
from functools import cached_property
from typing import Any

import pandas as pd

from functions.domain import playbook as pb
from ops.recount.happened import Happened, day_of

WINDOW = pd.Timedelta(days=1)
"""A block within so long after a message is blamed on it: what the playbook's breaker has where it says nothing else."""
CLICKED_WITHIN_DAYS = 14


class Known:
    """What happened, understood as the playbook says. Plain and slow on purpose: no days, no states, no SQL."""

    def __init__(self, happened: Happened, playbook: pb.Playbook, yen_each: float | None = None) -> None:
        """`yen_each`: what a message costs on average; worked out of all of them where it is not given."""
        self.happened, self.book, self.measure = happened, playbook, playbook.measure
        self.owner = self._owners()
        self.orders, self.coupons = self._orders()
        self.sends = self._sends()
        self.contacts = self._with_costs(self.sends[self.sends["status"] == "sent"])
        self.yen_each = self.contacts["yen"].sum() / len(self.contacts) if yen_each is None else yen_each
        self.clicked = self._clicked()
        self.blocked = self._blocked()
        self._touches: dict[str, pd.DataFrame] = {}
        self._credited: dict[tuple[str, bool], pd.DataFrame] = {}

    def _owners(self) -> dict[str, str]:
        last = self.happened.people.sort_values("at").groupby("customer_id").last()["owner"]
        latest = {str(who): str(owner) for who, owner in last.items()}
        found = {}
        for who in latest:
            end = who
            while latest.get(end, end) != end:
                end = latest[end]
            found[who] = end
        return found

    @property
    def orders_kept(self) -> pd.DataFrame:
        """Those that were not cancelled."""
        return self.orders[~self.orders["cancelled"]]

    @cached_property
    def buyers(self) -> pd.DataFrame:
        """Who has ordered, one row each, with the days of their orders and how many messages they got."""
        messages = self.contacts.groupby("who").size()
        people = self.orders_kept.groupby("who").agg(
            profit=("profit", "sum"), coupon=("coupon", "sum"), days=("day", list), first=("day", "min")
        )
        people["messages"] = [messages.get(who, 0) for who in people.index]
        return people.reset_index()

    def day_of(self, at: "pd.Series[Any]") -> "pd.Series[Any]":
        """The shop's local day of each instant."""
        return day_of(at, self.book.zone)

    def whose(self, ids: "pd.Series[Any]") -> "pd.Series[Any]":
        """Whom each id belongs to now."""
        return ids.map(lambda one: self.owner.get(one, one))

    def _orders(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        events = self.happened.events[self.happened.events["status"] == "confirmed"].copy()
        events["who"] = self.whose(events["customer_id"])
        events["day"] = self.day_of(events["at"])
        told = pd.json_normalize(events["properties"].tolist()).set_index(events.index)
        events = events.join(told)
        orders = events[events["name"] == "purchase"].copy()
        taken_back = events[events["name"] == "order_cancelled"]
        back = set(zip(taken_back["who"], taken_back["order_id"], strict=True))
        orders["cancelled"] = [key in back for key in zip(orders["who"], orders["order_id"], strict=True)]
        returned = events[events["name"] == "item_returned"].groupby(["who", "order_id"])["amount"].sum()
        less = [returned.get(key, 0) for key in zip(orders["who"], orders["order_id"], strict=True)]
        orders["amount"] = orders["amount"] - less
        margin = (self.measure.margin_percent or 100) / 100
        orders["profit"] = [_half_away(amount * margin) for amount in orders["amount"]]
        orders = orders.sort_values(["at", "event_id"])
        coupons = events[events["name"] == "coupon_used"].copy()
        coupons["order"] = [self._order_of(coupon, orders) for _, coupon in coupons.iterrows()]
        orders["coupon"] = orders["event_id"].map(coupons.groupby("order")["amount"].sum()).fillna(0)
        return self._numbered(orders), coupons

    @staticmethod
    def _order_of(coupon: "pd.Series[Any]", orders: pd.DataFrame) -> str:
        same = orders[(orders["who"] == coupon["who"]) & (orders["day"] == coupon["day"])]
        if same.empty:
            return ""
        apart = (same["at"] - coupon["at"]).abs().dt.total_seconds()
        best = same.assign(apart=apart).sort_values(["cancelled", "apart", "at", "event_id"])
        return str(best.iloc[0]["event_id"])

    @staticmethod
    def _numbered(orders: pd.DataFrame) -> pd.DataFrame:
        live = orders[~orders["cancelled"]].copy()
        by = live.groupby("who")
        live["number"] = by.cumcount() + 1
        live["gap"] = (live["at"] - by["at"].shift()).dt.total_seconds()
        live["before"] = by["amount"].shift()
        seen: set[tuple[str, str]] = set()
        new = []
        for key in zip(live["who"], live["category"], strict=True):
            new.append(key not in seen)
            seen.add(key)
        live["new"] = new
        return orders.join(live[["number", "gap", "before", "new"]])

    def _sends(self) -> pd.DataFrame:
        sends = self.happened.sends.copy()
        sends["who"], sends["day"] = self.whose(sends["customer_id"]), self.day_of(sends["at"])
        scenarios = {name: one.entry.segment for name, one in self.book.scenarios.items()}
        campaigns = {name: one.segment for name, one in self.book.campaigns.items()}
        sends["segment"] = [
            campaigns.get(campaign, "") if campaign else scenarios.get(scenario, "")
            for scenario, campaign in zip(sends["scenario"], sends["campaign"], strict=True)
        ]
        return sends

    def _with_costs(self, contacts: pd.DataFrame) -> pd.DataFrame:
        """`yen`: each message's equal share of what its month cost."""
        price, months = self.book.price, pd.to_datetime(contacts["day"]).dt.to_period("M")
        each = {
            month: (price.plan_yen + max(0, n - price.free_messages) * price.yen_each) / n
            for month, n in months.value_counts().items()
        }
        return contacts.assign(yen=months.map(each).astype(float))

    def _clicked(self) -> pd.DataFrame:
        clicks = self.happened.clicks[self.happened.clicks["agent"] == "person"]
        first = clicks.groupby("send_id")["at"].min().rename("clicked").reset_index()
        both = self.contacts.merge(first, on="send_id")
        both["clicked_on"] = self.day_of(both["clicked"])
        apart = (pd.to_datetime(both["clicked_on"]) - pd.to_datetime(both["day"])).dt.days
        return both[apart.between(0, CLICKED_WITHIN_DAYS)].assign(day=both["clicked_on"])

    def _blocked(self) -> pd.DataFrame:
        """Each block with the last message within a day before, if there is one."""
        rows = []
        for _, block in self.happened.friendships[self.happened.friendships["change"] == "block"].iterrows():
            mine = self.contacts[self.contacts["customer_id"] == block["customer_id"]]
            near = mine[(mine["at"] <= block["at"]) & (mine["at"] > block["at"] - WINDOW)]
            if len(near):
                rows.append(near.sort_values(["at", "send_id"]).iloc[-1].to_dict() | {"at": block["at"]})
        found = pd.DataFrame(rows, columns=self.contacts.columns)
        return found.assign(day=self.day_of(found["at"]))

    def overlapping(self, first: dt.date, last: dt.date) -> tuple[pd.DataFrame, "pd.Series[Any]"]:
        """Conversions of the first goal of these days that several sources had part in, each with the `source` that got
        it; and who they are."""
        goal = next(iter(self.measure.goals))
        credited, touches = self.credited(goal, last=True), self.touches(goal)
        credited = credited[
            (credited["day"] >= first) & (credited["day"] <= last) & (credited["sources"] > 1)
        ]
        names = touches["campaign"].where(touches["campaign"] != "", touches["scenario"])
        by = names.groupby(touches["event_id"]).agg(lambda one: "、".join(sorted(set(one))))
        source = credited["campaign"].where(credited["campaign"] != "", credited["scenario"])
        return credited.assign(source=source), credited["event_id"].map(by)

    def touches(self, goal: str) -> pd.DataFrame:
        """Order × message within the goal's window, one row each."""
        if goal not in self._touches:
            form = self.measure.goals[goal]
            reached = self.orders[~self.orders["cancelled"]]
            if form.when_number is not None:
                reached = reached[reached["number"] == form.when_number]
            orders = reached[["event_id", "who", "at", "day", "amount", "profit", "coupon"]]
            sent = self.contacts.drop(columns=["day"]).rename(columns={"at": "sent_at"})
            both = orders.merge(sent, on="who")
            apart = (both["at"] - both["sent_at"]).dt.total_seconds()
            self._touches[goal] = both[(apart >= 0) & (apart < form.within_seconds)]
        return self._touches[goal]

    def credited(self, goal: str, *, last: bool) -> pd.DataFrame:
        """One row a conversion: the message that it goes to, and how many sources had part."""
        if (goal, last) not in self._credited:
            self._credited[goal, last] = self._given(goal, last=last)
        return self._credited[goal, last]

    def _given(self, goal: str, *, last: bool) -> pd.DataFrame:
        touches = self.touches(goal).sort_values(["sent_at", "send_id"])
        one = touches.groupby("event_id").tail(1) if last else touches.groupby("event_id").head(1)
        sources = (
            touches.assign(source=touches["campaign"].where(touches["campaign"] != "", touches["scenario"]))
            .groupby("event_id")["source"]
            .nunique()
        )
        return one.assign(sources=one["event_id"].map(sources))


def _half_away(value: float) -> int:
    """Rounded as SQL does: halves go away from zero."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))
