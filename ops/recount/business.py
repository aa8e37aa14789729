"""KPIs of the business, each a method of its name."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from ops.recount.scoped import Asked, Values, alone, minus, over, shares

SECOND = 2
DAY_SECONDS = 86_400


class Business:
    """Who comes back, how soon, for how much, and what is left of it."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.known = asked, asked.known

    @property
    def _live(self) -> pd.DataFrame:
        return self.known.orders_kept

    def orders(self) -> Values:
        return alone(self.asked.count(self._live))

    def revenue(self) -> Values:
        return alone(self.asked.sum(self._live, "amount"))

    def gross_profit(self) -> Values:
        return alone(self.asked.sum(self._live, "profit"))

    def average_order_value(self) -> Values:
        return over(self.asked.sum(self._live, "amount"), self.asked.count(self._live))

    def cancel_rate(self) -> Values:
        return over(
            self.asked.count(self.known.orders[self.known.orders["cancelled"]]),
            self.asked.count(self.known.orders),
        )

    def _spent(self) -> dict[str, float]:
        """Coupons that were used, but for those of cancelled orders."""
        void = set(self.known.orders.loc[self.known.orders["cancelled"], "event_id"])
        return self.asked.sum(self.known.coupons[~self.known.coupons["order"].isin(void)], "amount")

    def coupon_cost(self) -> Values:
        return alone(self._spent())

    def net_profit(self) -> Values:
        return alone(minus(minus(self.asked.sum(self._live, "profit"), self._spent()), self.asked.costs()))

    def _numbers(self, holds: Callable[["pd.Series[Any]"], "pd.Series[Any]"]) -> dict[str, float]:
        return self.asked.count(self._live[holds(self._live["number"])])

    def new_customers(self) -> Values:
        return alone(self._numbers(lambda number: number == 1))

    def second_orders(self) -> Values:
        return alone(self._numbers(lambda number: number == SECOND))

    def later_orders(self) -> Values:
        return alone(self._numbers(lambda number: number > SECOND))

    def later_order_share(self) -> Values:
        return over(self._numbers(lambda number: number > SECOND), self.asked.count(self._live))

    @property
    def _repeats(self) -> pd.DataFrame:
        return self._live[self._live["number"] >= SECOND]

    def purchase_interval(self) -> Values:
        days = self._repeats.assign(days=self._repeats["gap"] / DAY_SECONDS)
        return over(self.asked.sum(days, "days"), self.asked.count(self._repeats))

    @property
    def _back(self) -> pd.DataFrame:
        return self._live[self._live["gap"] > self.known.measure.dormant_seconds]

    def win_backs(self) -> Values:
        return alone(self.asked.count(self._back))

    def win_back_revenue(self) -> Values:
        return alone(self.asked.sum(self._back, "amount"))

    def win_back_rate(self) -> Values:
        last = self._live.groupby("who")["day"].max()
        asleep = sum(
            (self.asked.last - day).days > self.known.measure.dormant_seconds / DAY_SECONDS for day in last
        )
        back = self.asked.count(self._back).get("", 0.0)
        return {"": (back, back + asleep)}

    def upsell_rate(self) -> Values:
        more = self._repeats[self._repeats["amount"] > self._repeats["before"]]
        return over(self.asked.count(more), self.asked.count(self._repeats))

    def cross_sell_rate(self) -> Values:
        new = self._repeats[self._repeats["new"].astype(bool)]
        return over(self.asked.count(new), self.asked.count(self._repeats))

    # --- over people

    def _customers(self) -> pd.DataFrame:
        """Who has ordered: one row a person and scope."""
        people = self.known.buyers
        if self.asked.kind == "cohort":
            return people.assign(scope=[f"{day:%Y-%m}" for day in people["first"]])
        if self.asked.kind == "segment":
            said = self.known.happened.memberships
            latest = said.sort_values("at").groupby(["customer_id", "segment"]).last().reset_index()
            inside = latest[latest["change"] == "entered"]
            pairs = pd.DataFrame({"who": self.known.whose(inside["customer_id"]), "scope": inside["segment"]})
            return people.merge(pairs.drop_duplicates(), on="who")
        return people.assign(scope="")

    def _lifetime(self, value: Callable[[pd.DataFrame], Any]) -> Values:
        people = self._customers()
        by = people.assign(value=value(people)).groupby("scope")["value"]
        return {str(scope): (float(sum(v)), float(len(v))) for scope, v in by}

    def ltv(self) -> Values:
        each = self.known.yen_each
        return self._lifetime(lambda p: p["profit"] - p["coupon"] - p["messages"] * each)

    def ltv_gross_profit(self) -> Values:
        return self._lifetime(lambda p: p["profit"])

    def ltv_coupon_cost(self) -> Values:
        return self._lifetime(lambda p: p["coupon"])

    def ltv_message_cost(self) -> Values:
        each = self.known.yen_each
        return self._lifetime(lambda p: p["messages"] * each)

    def second_order_rate(self) -> Values:
        people = self._customers()
        people = people[(people["first"] >= self.asked.first) & (people["first"] <= self.asked.last)]
        again = [sorted(days)[1] <= self.asked.last if len(days) > 1 else False for days in people["days"]]
        return shares(people["scope"], again)

    def _retained(self, months: int) -> Values:
        people, end = self._customers(), pd.Period(self.asked.last, "M")
        people = people[[pd.Period(day, "M") == end - months for day in people["first"]]]
        return shares(
            people["scope"], [any(pd.Period(day, "M") == end for day in days) for days in people["days"]]
        )

    def retention_1(self) -> Values:
        return self._retained(1)

    def retention_3(self) -> Values:
        return self._retained(3)

    def retention_6(self) -> Values:
        return self._retained(6)

    def retention_12(self) -> Values:
        return self._retained(12)
