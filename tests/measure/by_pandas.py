"""Every KPI once more, in pandas, from the facts as they happened and nothing that Musubi derives of them.

Plain and slow on purpose: no days, no states, no SQL. A KPI is scope → (numerator, denominator).
"""

import datetime as dt
import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from functions.domain import playbook as pb
from tests.measure.facts_in_folders import ZONE
from tests.measure.real_shop import Shop

Values = dict[str, tuple[float, float | None]]
SOURCE = ["scenario", "campaign", "run", "step", "variant", "kind", "segment"]


def day_of(at: "pd.Series[Any]") -> "pd.Series[Any]":
    return pd.Series(at.dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.date)


class ByPandas:
    """All that there is to know of a shop's year."""

    def __init__(self, shop: Shop, playbook: pb.Playbook) -> None:
        self.shop, self.book, self.measure = shop, playbook, playbook.measure
        self.owner = self._owners()
        self.orders, self.coupons = self._orders()
        self.sends = self._sends()
        self.contacts = self.sends[self.sends["status"] == "sent"]
        self.clicked = self._clicked()
        self.blocked = self._blocked()
        self._touches: dict[str, pd.DataFrame] = {}

    # --- who is who, what was bought, what was sent

    def _owners(self) -> dict[str, str]:
        last = self.shop.people.sort_values("at").groupby("customer_id").last()["owner"]
        latest = {str(who): str(owner) for who, owner in last.items()}
        found = {}
        for who in latest:
            end = who
            while latest.get(end, end) != end:
                end = latest[end]
            found[who] = end
        return found

    def _whose(self, ids: "pd.Series[Any]") -> "pd.Series[Any]":
        return ids.map(lambda one: self.owner.get(one, one))

    def _orders(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        events = self.shop.events[self.shop.events["status"] == "confirmed"].copy()
        events["who"] = self._whose(events["customer_id"])
        events["day"] = day_of(events["at"])
        told = pd.json_normalize(events["properties"].tolist()).set_index(events.index)
        events = events.join(told)
        orders = events[events["name"] == "purchase"].copy()
        back = set(
            zip(
                *events.loc[events["name"] == "order_cancelled", ["who", "order_id"]].T.to_numpy(),
                strict=True,
            )
        )
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
        sends = self.shop.sends.copy()
        sends["who"], sends["day"] = self._whose(sends["customer_id"]), day_of(sends["at"])
        scenarios = {name: one.entry.segment for name, one in self.book.scenarios.items()}
        campaigns = {name: one.segment for name, one in self.book.campaigns.items()}
        sends["segment"] = [
            campaigns.get(campaign, "") if campaign else scenarios.get(scenario, "")
            for scenario, campaign in zip(sends["scenario"], sends["campaign"], strict=True)
        ]
        return sends

    def _clicked(self) -> pd.DataFrame:
        clicks = self.shop.clicks[self.shop.clicks["agent"] == "person"]
        first = clicks.groupby("send_id")["at"].min().rename("clicked").reset_index()
        both = self.contacts.merge(first, on="send_id")
        both["clicked_on"] = day_of(both["clicked"])
        apart = (pd.to_datetime(both["clicked_on"]) - pd.to_datetime(both["day"])).dt.days
        return both[apart.between(0, 14)].assign(day=both["clicked_on"])

    def _blocked(self) -> pd.DataFrame:
        """Each block with the last message within a day before, if there is one."""
        rows = []
        for _, block in self.shop.friendships[self.shop.friendships["change"] == "block"].iterrows():
            mine = self.contacts[self.contacts["customer_id"] == block["customer_id"]]
            near = mine[(mine["at"] <= block["at"]) & (mine["at"] > block["at"] - pd.Timedelta(days=1))]
            if len(near):
                rows.append(near.sort_values(["at", "send_id"]).iloc[-1].to_dict() | {"at": block["at"]})
        found = pd.DataFrame(rows)
        return found.assign(day=day_of(found["at"]))

    # --- attribution

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
        touches = self.touches(goal).sort_values(["sent_at", "send_id"])
        one = touches.groupby("event_id").tail(1) if last else touches.groupby("event_id").head(1)
        sources = (
            touches.assign(source=touches["campaign"].where(touches["campaign"] != "", touches["scenario"]))
            .groupby("event_id")["source"]
            .nunique()
        )
        return one.assign(sources=one["event_id"].map(sources))

    # --- KPIs

    def kpi(self, name: str, first: dt.date, last: dt.date, kind: str, goal: str = "") -> Values:
        self.first, self.last, self.kind = first, last, kind
        self.goal = goal or next(iter(self.measure.goals))
        return getattr(self, "_orders_" if name == "orders" else f"_{name}")()  # type: ignore[no-any-return]

    def _in(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[(frame["day"] >= self.first) & (frame["day"] <= self.last)]

    def _scoped(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of the period that have a scope of the kind, with it."""
        return with_scope(self._in(frame), self.kind)

    def _count(self, frame: pd.DataFrame) -> dict[str, float]:
        return {str(k): float(v) for k, v in self._scoped(frame).groupby("scope").size().items()}

    def _sum(self, frame: pd.DataFrame, column: str) -> dict[str, float]:
        return {str(k): float(v) for k, v in self._scoped(frame).groupby("scope")[column].sum().items()}

    def _targeted(self) -> Values:
        return alone(self._count(self.sends))

    def _accepted(self) -> Values:
        return alone(self._count(self.contacts))

    def _ended(self, status: str) -> Values:
        return alone(self._count(self.sends[self.sends["status"] == status]))

    def _suppressed(self) -> Values:
        return self._ended("suppressed")

    def _failed(self) -> Values:
        return self._ended("failed")

    def _unknown(self) -> Values:
        return self._ended("unknown")

    def _held_out(self) -> Values:
        return alone(self._count(self.sends[self.sends["held_out"]]))

    def _reach(self) -> Values:
        people = self._scoped(self.contacts).groupby("scope")["who"].nunique()
        return {str(k): (float(v), None) for k, v in people.items()}

    def _click_rate(self) -> Values:
        return over(self._count(self.clicked), self._count(self.contacts))

    def _block_rate(self) -> Values:
        return over(self._count(self.blocked), self._count(self.contacts))

    def _changes(self, change: str) -> Values:
        said = self.shop.friendships
        said = said.assign(day=day_of(said["at"]))
        return alone(self._count(said[said["change"] == change]))

    def _blocks(self) -> Values:
        return self._changes("block")

    def _follows(self) -> Values:
        return self._changes("follow")

    def _now_friends(self) -> pd.DataFrame:
        said = self.shop.friendships.assign(who=self._whose(self.shop.friendships["customer_id"]))
        latest = said.sort_values("at").groupby("who").last().reset_index()
        return latest[latest["change"] == "follow"]

    def _friends(self) -> Values:
        return {"": (float(len(self._now_friends())), None)}

    def _link_rate(self) -> Values:
        linked = self.shop.people.sort_values("at").groupby("customer_id").last()["linked"]
        friends = self._now_friends()
        return {"": (float(friends["who"].map(linked).fillna(value=False).sum()), float(len(friends)))}

    def _conversions(self) -> Values:
        return alone(self._count(self.credited(self.goal, last=True)))

    def _conversions_first_touch(self) -> Values:
        return alone(self._count(self.credited(self.goal, last=False)))

    def _conversion_rate(self) -> Values:
        return over(self._count(self.credited(self.goal, last=True)), self._count(self.contacts))

    def _overlap_rate(self) -> Values:
        credited = self.credited(self.goal, last=True)
        return over(self._count(credited[credited["sources"] > 1]), self._count(credited))

    def _attributed_revenue(self) -> Values:
        return alone(self._sum(self.credited(self.goal, last=True), "amount"))

    def _attributed_profit(self) -> Values:
        credited = self.credited(self.goal, last=True)
        net = credited.assign(net=credited["profit"] - credited["coupon"])
        return alone(minus(self._sum(net, "net"), self._costs()))

    def _prices(self) -> Mapping[Any, float]:
        """Month → what each of its messages cost."""
        price = self.book.price
        counts = self.contacts.groupby(pd.to_datetime(self.contacts["day"]).dt.to_period("M")).size()
        return {
            month: (price.plan_yen + max(0, n - price.free_messages) * price.yen_each) / n
            for month, n in counts.items()
        }

    def _costs(self) -> dict[str, float]:
        prices = self._prices()
        months = pd.to_datetime(self.contacts["day"]).dt.to_period("M")
        return self._sum(self.contacts.assign(yen=months.map(prices).astype(float)), "yen")

    def _message_cost(self) -> Values:
        return alone(self._costs())

    def _cost_per_conversion(self) -> Values:
        return over(self._costs(), self._count(self.credited(self.goal, last=True)))

    @property
    def _live(self) -> pd.DataFrame:
        return self.orders[~self.orders["cancelled"]]

    def _orders_(self) -> Values:
        return alone(self._count(self._live))

    def _revenue(self) -> Values:
        return alone(self._sum(self._live, "amount"))

    def _gross_profit(self) -> Values:
        return alone(self._sum(self._live, "profit"))

    def _average_order_value(self) -> Values:
        return over(self._sum(self._live, "amount"), self._count(self._live))

    def _cancel_rate(self) -> Values:
        return over(self._count(self.orders[self.orders["cancelled"]]), self._count(self.orders))

    def _spent(self) -> dict[str, float]:
        """Coupons that were used, but for those of cancelled orders."""
        void = set(self.orders.loc[self.orders["cancelled"], "event_id"])
        return self._sum(self.coupons[~self.coupons["order"].isin(void)], "amount")

    def _coupon_cost(self) -> Values:
        return alone(self._spent())

    def _net_profit(self) -> Values:
        return alone(minus(minus(self._sum(self._live, "profit"), self._spent()), self._costs()))

    def _numbers(self, holds: Callable[["pd.Series[Any]"], "pd.Series[Any]"]) -> dict[str, float]:
        return self._count(self._live[holds(self._live["number"])])

    def _new_customers(self) -> Values:
        return alone(self._numbers(lambda number: number == 1))

    def _second_orders(self) -> Values:
        return alone(self._numbers(lambda number: number == 2))

    def _later_orders(self) -> Values:
        return alone(self._numbers(lambda number: number >= 3))

    def _later_order_share(self) -> Values:
        return over(self._numbers(lambda number: number >= 3), self._count(self._live))

    @property
    def _repeats(self) -> pd.DataFrame:
        return self._live[self._live["number"] >= 2]

    def _purchase_interval(self) -> Values:
        days = self._repeats.assign(days=self._repeats["gap"] / 86_400)
        return over(self._sum(days, "days"), self._count(self._repeats))

    @property
    def _back(self) -> pd.DataFrame:
        return self._live[self._live["gap"] > self.measure.dormant_seconds]

    def _win_backs(self) -> Values:
        return alone(self._count(self._back))

    def _win_back_revenue(self) -> Values:
        return alone(self._sum(self._back, "amount"))

    def _win_back_rate(self) -> Values:
        last = self._live.groupby("who")["day"].max()
        asleep = sum((self.last - day).days > self.measure.dormant_seconds / 86_400 for day in last)
        back = self._count(self._back).get("", 0.0)
        return {"": (back, back + asleep)}

    def _upsell_rate(self) -> Values:
        more = self._repeats[self._repeats["amount"] > self._repeats["before"]]
        return over(self._count(more), self._count(self._repeats))

    def _cross_sell_rate(self) -> Values:
        new = self._repeats[self._repeats["new"].astype(bool)]
        return over(self._count(new), self._count(self._repeats))

    # --- over people

    def _customers(self) -> pd.DataFrame:
        """Who has ordered: one row a person and scope."""
        live, messages = self._live, self.contacts.groupby("who").size()
        people = live.groupby("who").agg(
            profit=("profit", "sum"), coupon=("coupon", "sum"), days=("day", list), first=("day", "min")
        )
        people["messages"] = [messages.get(who, 0) for who in people.index]
        people = people.reset_index()
        if self.kind == "cohort":
            return people.assign(scope=[f"{day:%Y-%m}" for day in people["first"]])
        if self.kind == "segment":
            said = self.shop.memberships
            latest = said.sort_values("at").groupby(["customer_id", "segment"]).last().reset_index()
            inside = latest[latest["change"] == "entered"]
            pairs = pd.DataFrame({"who": self._whose(inside["customer_id"]), "scope": inside["segment"]})
            return people.merge(pairs.drop_duplicates(), on="who")
        return people.assign(scope="")

    def _lifetime(self, value: Callable[[pd.DataFrame], Any]) -> Values:
        people = self._customers()
        by = people.assign(value=value(people)).groupby("scope")["value"]
        return {str(scope): (float(sum(v)), float(len(v))) for scope, v in by}

    def _mean_price(self) -> float:
        months = pd.to_datetime(self.contacts["day"]).dt.to_period("M")
        return float(months.map(self._prices()).astype(float).sum() / len(self.contacts))

    def _ltv(self) -> Values:
        each = self._mean_price()
        return self._lifetime(lambda p: p["profit"] - p["coupon"] - p["messages"] * each)

    def _ltv_gross_profit(self) -> Values:
        return self._lifetime(lambda p: p["profit"])

    def _ltv_coupon_cost(self) -> Values:
        return self._lifetime(lambda p: p["coupon"])

    def _ltv_message_cost(self) -> Values:
        each = self._mean_price()
        return self._lifetime(lambda p: p["messages"] * each)

    def _second_order_rate(self) -> Values:
        people = self._customers()
        people = people[(people["first"] >= self.first) & (people["first"] <= self.last)]
        again = [sorted(days)[1] <= self.last if len(days) > 1 else False for days in people["days"]]
        return shares(people["scope"], again)

    def _retained(self, months: int) -> Values:
        people, end = self._customers(), pd.Period(self.last, "M")
        people = people[[pd.Period(day, "M") == end - months for day in people["first"]]]
        return shares(
            people["scope"], [any(pd.Period(day, "M") == end for day in days) for days in people["days"]]
        )

    def _retention_1(self) -> Values:
        return self._retained(1)

    def _retention_3(self) -> Values:
        return self._retained(3)

    def _retention_6(self) -> Values:
        return self._retained(6)

    def _retention_12(self) -> Values:
        return self._retained(12)


def with_scope(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Rows with the scope that they are of; those of none are left out."""
    if kind == "all":
        return frame.assign(scope="")
    if kind == "step":
        frame = frame[(frame["scenario"] != "") & (frame["step"] != "")]
        return frame.assign(scope=frame["scenario"] + "/" + frame["step"])
    if kind == "variant":
        frame = frame[frame["variant"] != ""]
        source = frame["scenario"] + frame["campaign"]
        return frame.assign(scope=source + "/" + frame["step"] + "/" + frame["variant"])
    frame = frame[frame[kind] != ""]
    return frame.assign(scope=frame[kind])


def shares(scopes: "pd.Series[Any]", holds: list[bool]) -> Values:
    found = pd.DataFrame({"scope": scopes.to_numpy(), "holds": holds}).groupby("scope")["holds"]
    return {str(scope): (float(sum(v)), float(len(v))) for scope, v in found}


def alone(values: dict[str, float]) -> Values:
    return {scope: (value, None) for scope, value in values.items()}


def over(numerators: dict[str, float], denominators: dict[str, float]) -> Values:
    scopes = numerators.keys() | denominators.keys()
    return {scope: (numerators.get(scope, 0.0), denominators.get(scope, 0.0)) for scope in scopes}


def minus(left: dict[str, float], right: dict[str, float]) -> dict[str, float]:
    return {scope: left.get(scope, 0.0) - right.get(scope, 0.0) for scope in left.keys() | right.keys()}


def _half_away(value: float) -> int:
    """Rounded as SQL does: halves go away from zero."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))
