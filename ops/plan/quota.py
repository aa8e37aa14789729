"""What the messages of a month come to: LINE's plan, and the limits that the playbook sets itself."""

from collections.abc import Mapping

import msgspec

from functions.domain.playbook import Price


class Month(msgspec.Struct, frozen=True):
    """One month of the forecast. `before`: sent in it before the forecast begins.

    `paid`: messages beyond those that are free with the plan; `over`: the limits that are passed, by name.
    """

    month: str
    before: int
    ahead: int
    paid: int
    yen: float
    over: list[str]

    @property
    def messages(self) -> int:
        """All of the month's, as far as the forecast goes."""
        return self.before + self.ahead


def months_of(before: Mapping[str, int], ahead: Mapping[str, int], price: Price) -> list[Month]:
    """The months in order, each with its messages, its yen and the limits that it passes."""
    return [
        _month(name, before.get(name, 0), ahead.get(name, 0), price)
        for name in sorted(before.keys() | ahead.keys())
    ]


def _month(name: str, before: int, ahead: int, price: Price) -> Month:
    messages = before + ahead
    paid = max(0, messages - price.free_messages)
    yen = price.plan_yen + paid * price.yen_each
    over = []
    if price.messages_max is not None and messages > price.messages_max:
        over.append("messages_max")
    if price.yen_max is not None and yen > price.yen_max:
        over.append("yen_max")
    return Month(name, before, ahead, paid, round(yen, 2), over)
