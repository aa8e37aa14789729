"""What counts by the calendar month in Japan: recipients against the monthly limit, and names of units."""

import datetime as dt
from collections import Counter

JAPAN = dt.timezone(dt.timedelta(hours=9))
UNIT_NAMES_A_MONTH_MAX = 1000


def month_of(now: dt.datetime) -> str:
    """The month in Japan, such as 2026-11."""
    return now.astimezone(JAPAN).strftime("%Y-%m")


class Quota:
    """Recipients reached by month; blocked users and replies do not count. Callers hold the world's lock."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def used(self, now: dt.datetime) -> int:
        """Recipients reached this month."""
        return self._used[month_of(now)]

    def leaves_room(self, now: dt.datetime, recipients: int, monthly_limit: int | None) -> bool:
        """Whether all the recipients still fit; a month that is used up refuses even those who cost nothing."""
        return monthly_limit is None or self.used(now) + max(recipients, 1) <= monthly_limit

    def count(self, now: dt.datetime, recipients: int) -> None:
        """Note the recipients of an accepted send."""
        self._used[month_of(now)] += recipients

    def clear(self) -> None:
        """Start from nothing."""
        self._used.clear()


class AggregationUnits:
    """Unit names in use by month. Callers hold the world's lock."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}

    def assign(self, name: str, now: dt.datetime) -> str:
        """The name, or "" from the 1,001st new name of a month on: LINE sends without it and says nothing."""
        names = self._names.setdefault(month_of(now), set())
        if name and (name in names or len(names) < UNIT_NAMES_A_MONTH_MAX):
            names.add(name)
            return name
        return ""

    def names(self, now: dt.datetime) -> frozenset[str]:
        """The names used this month."""
        return frozenset(self._names.get(month_of(now), ()))

    def clear(self) -> None:
        """Forget all names."""
        self._names.clear()
