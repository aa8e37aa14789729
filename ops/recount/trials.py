"""Experiments and lifts once more: people arm by arm, and what became of them."""

import datetime as dt
import math
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from functions.domain import playbook as pb
from ops.recount.by_pandas import ByPandas

LOOK_BACK = dt.timedelta(days=180)
DAY_SECONDS = 86_400


class Group(NamedTuple):
    """An arm: of those whose time to act is over, who converted, who ordered, and what each brought in yen."""

    converted: "np.ndarray[Any, Any]"
    ordered: "np.ndarray[Any, Any]"
    net: "np.ndarray[Any, Any]"
    waiting: int

    @property
    def people(self) -> int:
        """Whose time to act is over."""
        return len(self.net)


NOBODY = Group(np.array([], bool), np.array([], bool), np.array([], float), 0)


class Trials:
    """The trials among what is known; `measured`: the last day of which anything is."""

    def __init__(self, known: ByPandas, exposures: pd.DataFrame, measured: dt.date) -> None:
        self.known, self.exposures, self.measured = known, exposures, measured
        self._lifts: dict[tuple[dt.date, dt.date], dict[tuple[str, str], dict[str, Group]]] = {}

    def lifts(self, first: dt.date, last: dt.date) -> dict[tuple[str, str], dict[str, Group]]:
        """By scope: whether people were held out when they were first targeted, and what became of them."""
        if (first, last) not in self._lifts:
            self._lifts[first, last] = self._counted_lifts(first, last)
        return self._lifts[first, last]

    def _counted_lifts(self, first: dt.date, last: dt.date) -> dict[tuple[str, str], dict[str, Group]]:
        holdout = self.known.book.holdout
        assert holdout is not None
        sends = self.known.sends
        sends = sends[(sends["day"] >= first) & (sends["day"] <= last) & sends["kind"].isin(holdout.kinds)]
        arms = sends["held_out"].map({True: "held_out", False: "treated"})
        given = sends.assign(arm=arms, begins=sends["made_at"]).sort_values(["made_at", "held_out"])
        scopes = {("all", ""): given}
        for kind in ("scenario", "campaign"):
            scopes |= {(kind, str(name)): mine for name, mine in given.groupby(kind) if name}
        goal = next(iter(self.known.measure.goals.values()))
        return {scope: self._arms(mine, goal, first, last) for scope, mine in scopes.items() if len(mine)}

    def experiment(self, name: str, first: dt.date, last: dt.date) -> dict[str, Group]:
        """By arm, everybody's first one."""
        experiment, begin = self.known.book.experiments[name], min(first, last - LOOK_BACK)
        rows = self.exposures[self.exposures["experiment"] == name]
        rows = rows.assign(who=self.known.whose(rows["customer_id"]), day=self.known.day_of(rows["at"]))
        rows = rows[(rows["day"] >= begin) & (rows["day"] <= last)].sort_values(["at", "variant"])
        goal = self.known.measure.goals[experiment.measures]
        return self._arms(rows.assign(arm=rows["variant"], begins=rows["at"]), goal, begin, last)

    def _arms(self, given: pd.DataFrame, goal: pb.Goal, first: dt.date, last: dt.date) -> dict[str, Group]:
        everybody = given.groupby("who").first().reset_index()
        longest = max(one.within_seconds for one in self.known.measure.goals.values())
        over = max(last, min(last + dt.timedelta(days=math.ceil(longest / DAY_SECONDS)), self.measured))
        end = dt.datetime.combine(
            over + dt.timedelta(days=1), dt.time(), ZoneInfo(self.known.book.zone)
        ).astimezone(dt.UTC)
        window = pd.Timedelta(seconds=goal.within_seconds)
        return {
            str(arm): self._group(mine, goal, window, pd.Timestamp(end).tz_localize(None), (first, over))
            for arm, mine in everybody.groupby("arm")
        }

    def _group(
        self,
        people: pd.DataFrame,
        goal: pb.Goal,
        window: pd.Timedelta,
        end: pd.Timestamp,
        days: tuple[dt.date, dt.date],
    ) -> Group:
        ripe = people[people["begins"] + window <= end][["who", "begins"]]
        orders = self._within(self.known.orders_kept, ripe, window, days)
        counting = orders if goal.when_number is None else orders[orders["number"] == goal.when_number]
        sent = self._within(self.known.contacts, ripe, window, days)
        earned = orders.assign(yen=orders["profit"] - orders["coupon"]).groupby("who")["yen"].sum()
        cost = sent.groupby("who")["yen"].sum()
        net = (one.reindex(ripe["who"], fill_value=0).to_numpy(dtype=float) for one in (earned, cost))
        return Group(
            ripe["who"].isin(counting["who"]).to_numpy(),
            ripe["who"].isin(orders["who"]).to_numpy(),
            np.subtract(*net),
            len(people) - len(ripe),
        )

    @staticmethod
    def _within(
        rows: pd.DataFrame, people: pd.DataFrame, window: pd.Timedelta, days: tuple[dt.date, dt.date]
    ) -> pd.DataFrame:
        near = rows[(rows["day"] >= days[0]) & (rows["day"] <= days[1])].merge(people, on="who")
        return near[(near["at"] >= near["begins"]) & (near["at"] < near["begins"] + window)]
