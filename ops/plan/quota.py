"""What the messages of a month come to: LINE's plan, and the limits that hold them back when they are sent."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from functions.domain.money import TIERS, Tier, month_limit, tier_limit, yen_of
from functions.domain.playbook import Price


class Month(msgspec.Struct, frozen=True):
    """One month of the forecast. `before`: sent in it before the forecast begins.

    `paid`: messages beyond those that are free with the plan; `over`: the limits that are passed, by name; `waiting`:
    messages that do not go in it for that.
    """

    month: str
    before: int
    ahead: int
    paid: int
    yen: float
    over: list[str]
    waiting: int = 0

    @property
    def messages(self) -> int:
        """All of the month's, as far as the forecast goes."""
        return self.before + self.ahead


def months_of(before: Mapping[str, int], ahead: Mapping[tuple[str, Tier], int], price: Price) -> list[Month]:
    """The months in order, each with its messages, its yen and the limits that it passes.

    `before`: sent by month; `ahead`: to be sent by local day and tier.
    """
    by_month: Counter[str] = Counter()
    for (day, _tier), messages in ahead.items():
        by_month[day[:7]] += messages
    waiting = _waiting(before, ahead, price)
    return [
        _month(name, before.get(name, 0), by_month[name], price, waiting[name])
        for name in sorted(before.keys() | by_month.keys())
    ]


def _waiting(before: Mapping[str, int], ahead: Mapping[tuple[str, Tier], int], price: Price) -> Counter[str]:
    """The month is spent as the sender spends it, day by day; within a day what matters more goes first."""
    used, waiting = Counter(dict(before)), Counter[str]()
    limit = month_limit(price, None)
    for day, tier in sorted(ahead, key=lambda key: (key[0], TIERS.index(key[1]))):
        month, wanted = day[:7], ahead[day, tier]
        within = tier_limit(limit, tier, price.reserve_percent)
        fit = wanted if within is None else max(0, min(wanted, within.messages - used[month]))
        used[month] += fit
        waiting[month] += wanted - fit
    return waiting


def _month(name: str, before: int, ahead: int, price: Price, waiting: int) -> Month:
    messages = before + ahead
    yen = yen_of(messages, price)
    over = []
    if price.messages_max is not None and messages > price.messages_max:
        over.append("messages_max")
    if price.yen_max is not None and yen > price.yen_max:
        over.append("yen_max")
    return Month(
        name, before, ahead, max(0, messages - price.free_messages), round(float(yen), 2), over, waiting
    )
