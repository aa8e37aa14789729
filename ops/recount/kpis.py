"""Every KPI of every kind of scope, as the lake tells it, held against the recount."""

import datetime as dt
from typing import get_args

import pandas as pd

from functions.measure.kpis import KPIS, KpiValue, ScopeKind
from ops.recount.by_pandas import ByPandas
from ops.recount.ledger import Ledger
from ops.recount.scoped import Values
from ops.reports.source import LIFETIME, Source


class Recount:
    """What is known, and since when the nights keep what was known: of a day before, nothing is told of lifetimes. `kept`:
    the history of events, whoever told of them."""

    def __init__(self, known: ByPandas, since: dt.date, kept: pd.DataFrame) -> None:
        self.known, self.since, self.kept = known, since, kept
        self._found: dict[tuple[str, dt.date, dt.date, str], Values] = {}

    def of(self, kpi: str, first: dt.date, last: dt.date, kind: str) -> Values:
        """A KPI by scope; of whole lifetimes as it was known by `last`."""
        asked = (kpi, first, last, kind)
        if asked not in self._found:
            self._found[asked] = self._counted(*asked)
        return self._found[asked]

    def _counted(self, kpi: str, first: dt.date, last: dt.date, kind: str) -> Values:
        if kpi not in LIFETIME:
            return self.known.kpi(kpi, first, last, kind)
        return self.known.as_of(last).kpi(kpi, first, last, kind) if last >= self.since else {}

    def heard(self, source: str) -> pd.DataFrame:
        """What a source told while it happened; history that was imported aside."""
        mine = self.kept[(self.kept["source"] == source) & ~self.kept["imported"].astype(bool)]
        return mine.assign(day=self.known.day_of(mine["at"]))

    def value_of(
        self, kpi: str, first: dt.date, last: dt.date, kind: str = "all", scope: str = ""
    ) -> float | None:
        """What a report is to say of a KPI: counts of nothing are 0, and what divides by nothing has no value."""
        top, under = self.of(kpi, first, last, kind).get(scope, (0.0, 0.0))
        if not KPIS[kpi].divides:
            return top
        return top / under if under else None


def hold_values(ledger: Ledger, source: Source, recount: Recount, first: dt.date, last: dt.date) -> None:
    """Numerators, denominators and values of the days from `first` to `last`, of every kind of scope."""
    for kind in get_args(ScopeKind):
        told: dict[str, dict[str, KpiValue]] = {}
        for (kpi, scope), one in source.values(first, last, kind).items():
            told.setdefault(kpi, {})[scope] = one
        for kpi in (one.id for one in KPIS.values() if kind in one.scopes):
            _hold(ledger, f"{first}–{last}: {kpi}", told.get(kpi, {}), recount.of(kpi, first, last, kind))


def _hold(ledger: Ledger, where: str, told: dict[str, KpiValue], counted: Values) -> None:
    """Scope by scope. Of scopes in which nothing happened one side has rows and the other none."""
    for scope in sorted(told.keys() | counted.keys()):
        top, under = counted.get(scope, (0.0, None))
        one = told.get(scope)
        told_parts = ((one.numerator or 0.0) if one else 0.0, (one.denominator or 0.0) if one else 0.0)
        if any(told_parts) or top or under:
            ledger.hold(f"{where} of {scope or 'all'} (above)", told_parts[0], top)
            ledger.hold(f"{where} of {scope or 'all'} (below)", told_parts[1], under or 0.0)
