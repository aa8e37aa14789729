"""The registers of LINE's aggregation units in memory."""

from functions.domain.aggregation_units import Unit, month_of, names_max
from functions.domain.instants import Instant


class FakeAggregationUnits:
    """Months and their names."""

    def __init__(self) -> None:
        self.months: dict[str, dict[str, Unit]] = {}

    def take(self, unit: Unit, now: Instant) -> str:
        """The name, where both months have room for it."""
        months = (unit.month, month_of(now))
        return unit.name if all(self._is_taken(unit, month) for month in months) else ""

    def _is_taken(self, unit: Unit, month: str) -> bool:
        names = self.months.setdefault(month, {})
        if unit.name not in names and len(names) >= names_max(unit, month):
            return False
        names.setdefault(unit.name, unit)
        return True

    def of_month(self, month: str) -> list[Unit]:
        """All units of a month, by name."""
        names = self.months.get(month, {})
        return [names[name] for name in sorted(names)]
