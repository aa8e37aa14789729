"""KPIs of sending, each a method of its name."""

import pandas as pd

from ops.recount.scoped import Asked, Values, alone, minus, over


class Sending:
    """How many, to whom, what they did, and what it cost."""

    def __init__(self, asked: Asked) -> None:
        self.asked, self.known = asked, asked.known

    def targeted(self) -> Values:
        return alone(self.asked.count(self.known.sends))

    def accepted(self) -> Values:
        return alone(self.asked.count(self.known.contacts))

    def _ended(self, status: str) -> Values:
        return alone(self.asked.count(self.known.sends[self.known.sends["status"] == status]))

    def suppressed(self) -> Values:
        return self._ended("suppressed")

    def failed(self) -> Values:
        return self._ended("failed")

    def unknown(self) -> Values:
        return self._ended("unknown")

    def held_out(self) -> Values:
        return alone(self.asked.count(self.known.sends[self.known.sends["held_out"]]))

    def reach(self) -> Values:
        people = self.asked.scoped(self.known.contacts).groupby("scope")["who"].nunique()
        return {str(k): (float(v), None) for k, v in people.items()}

    def click_rate(self) -> Values:
        return over(self.asked.count(self.known.clicked), self.asked.count(self.known.contacts))

    def block_rate(self) -> Values:
        return over(self.asked.count(self.known.blocked), self.asked.count(self.known.contacts))

    def _changes(self, change: str) -> Values:
        said = self.known.happened.friendships
        said = said.assign(day=self.known.day_of(said["at"]))
        return alone(self.asked.count(said[said["change"] == change]))

    def blocks(self) -> Values:
        return self._changes("block")

    def follows(self) -> Values:
        return self._changes("follow")

    def _now_friends(self) -> pd.DataFrame:
        said = self.known.happened.friendships.assign(
            who=self.known.whose(self.known.happened.friendships["customer_id"])
        )
        latest = said.sort_values("at").groupby("who").last().reset_index()
        return latest[latest["change"] == "follow"]

    def friends(self) -> Values:
        return {"": (float(len(self._now_friends())), None)}

    def link_rate(self) -> Values:
        linked = self.known.happened.people.sort_values("at").groupby("customer_id").last()["linked"]
        friends = self._now_friends()
        return {"": (float(friends["who"].map(linked).fillna(value=False).sum()), float(len(friends)))}

    def conversions(self) -> Values:
        return alone(self.asked.count(self.known.credited(self.asked.goal, last=True)))

    def conversions_first_touch(self) -> Values:
        return alone(self.asked.count(self.known.credited(self.asked.goal, last=False)))

    def conversion_rate(self) -> Values:
        return over(
            self.asked.count(self.known.credited(self.asked.goal, last=True)),
            self.asked.count(self.known.contacts),
        )

    def overlap_rate(self) -> Values:
        credited = self.known.credited(self.asked.goal, last=True)
        return over(self.asked.count(credited[credited["sources"] > 1]), self.asked.count(credited))

    def attributed_revenue(self) -> Values:
        return alone(self.asked.sum(self.known.credited(self.asked.goal, last=True), "amount"))

    def attributed_profit(self) -> Values:
        credited = self.known.credited(self.asked.goal, last=True)
        net = credited.assign(net=credited["profit"] - credited["coupon"])
        return alone(minus(self.asked.sum(net, "net"), self.asked.costs()))

    def message_cost(self) -> Values:
        return alone(self.asked.costs())

    def cost_per_conversion(self) -> Values:
        return over(self.asked.costs(), self.asked.count(self.known.credited(self.asked.goal, last=True)))
