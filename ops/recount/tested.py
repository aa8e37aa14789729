"""Experiments and lifts, as they are told and as reports show them, held against the recount. Counts are to be the same."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from statsmodels.stats.multitest import multipletests

from functions.measure.experiment_results import Arm, Comparison, ExperimentResult, Lift
from ops.recount.estimates import ALPHA, estimates, mean_of, ratio_p
from ops.recount.ledger import Ledger
from ops.recount.trials import NOBODY, Group, Trials

ESTIMATES_NEAR = 1e-6


def hold_lifts(ledger: Ledger, told: Sequence[Lift], trials: Trials, first: dt.date, last: dt.date) -> None:
    """Every lift of a period."""
    counted = trials.lifts(first, last)
    ledger.hold("lifts' scopes", {(one.scope_kind, one.scope) for one in told}, set(counted))
    holdout = trials.known.book.holdout
    assert holdout is not None
    for one in told:
        arms, where = counted[one.scope_kind, one.scope], f"lift of {one.scope or 'all'} until {last}"
        treated, base = arms.get("treated", NOBODY), arms.get("held_out", NOBODY)
        _hold_arm(ledger, where, one.treated, treated)
        _hold_arm(ledger, where, one.held_out, base)
        _hold_comparisons(ledger, where, [one.conversion, one.gross_profit], [(treated, base)])
        gains = {"conversions": "converted", "gross_profit": "net"}
        for name, measured in gains.items():
            gain = (mean_of(getattr(treated, measured)) - mean_of(getattr(base, measured))) * treated.people
            ledger.hold(f"{where}: {name} gained", getattr(one, f"incremental_{name}"), gain, ESTIMATES_NEAR)
        sizes = [each.people + each.waiting for each in (treated, base)]
        share = holdout.percent / 100
        ledger.hold(f"{where}: ratio", one.srm_p, ratio_p(sizes, [1 - share, share]), ESTIMATES_NEAR)


def hold_experiments(
    ledger: Ledger, told: Sequence[ExperimentResult], trials: Trials, first: dt.date, last: dt.date
) -> None:
    """Every experiment of a period."""
    for one in told:
        where = f"experiment {one.experiment} until {last}"
        variants = trials.known.book.experiments[one.experiment].variants
        arms = trials.experiment(one.experiment, first, last)
        groups = {name: arms.get(name, NOBODY) for name in variants}
        for arm in one.arms:
            _hold_arm(ledger, where, arm, groups[arm.name])
        base, *others = groups.values()
        _hold_comparisons(ledger, where, one.comparisons, [(group, base) for group in others])
        sizes = [each.people + each.waiting for each in groups.values()]
        ledger.hold(f"{where}: ratio", one.srm_p, ratio_p(sizes, list(variants.values())), ESTIMATES_NEAR)


def _hold_arm(ledger: Ledger, where: str, told: Arm, counted: Group) -> None:
    where = f"{where}: {told.name}"
    ledger.hold(f"{where}, people", told.people, counted.people)
    ledger.hold(f"{where}, waiting", told.waiting, counted.waiting)
    ledger.hold(f"{where}, conversions", told.conversions, int(counted.converted.sum()))
    rate, net = (mean_of(one) if counted.people else None for one in (counted.converted, counted.net))
    ledger.hold(f"{where}, rate", told.conversion_rate, rate, ESTIMATES_NEAR)
    ledger.hold(f"{where}, yen", told.gross_profit, net, ESTIMATES_NEAR)


def _hold_comparisons(
    ledger: Ledger, where: str, told: Sequence[Comparison], pairs: Sequence[tuple[Group, Group]]
) -> None:
    for metric in ("conversion", "gross_profit"):
        mine = [one for one in told if one.metric == metric]
        counted = [dict(estimates(metric, *pair, ALPHA / len(pairs))) for pair in pairs]
        ps = [one["p"] for one in counted]
        known = [1.0 if p is None else p for p in ps]
        adjusted = multipletests(known, method="holm")[1] if len(known) > 1 else known
        for one, figures, p, among_all in zip(mine, counted, ps, adjusted, strict=True):
            figures["p"] = None if p is None else float(among_all)
            for name, value in figures.items():
                ledger.hold(
                    f"{where}: {one.arm}, {metric}, {name}", getattr(one, name), value, ESTIMATES_NEAR
                )


def hold_lifts_shown(
    ledger: Ledger, table: Mapping[str, Any], trials: Trials, first: dt.date, last: dt.date
) -> None:
    """People and rates in a report's table of lifts."""
    shown = {name or "全体": arms for (_, name), arms in trials.lifts(first, last).items()}
    for name, people, base_people, rate, base_rate, *_ in table["rows"]:
        told = {"treated": (people, rate), "held_out": (base_people, base_rate)}
        for arm, cells in told.items():
            _hold_cells(ledger, f"table of lifts: {name}, {arm}", cells, shown[name].get(arm, NOBODY))


def hold_experiments_shown(
    ledger: Ledger, table: Mapping[str, Any], trials: Trials, first: dt.date, last: dt.date
) -> None:
    """People, conversions and rates in a report's table of experiments."""
    arms: dict[str, Group] = {}
    for name, label, _, people, conversions, rate, *_ in table["rows"]:
        # The name stands before its first arm only.
        arms = trials.experiment(name, first, last) if name else arms
        group = arms.get(label.partition("(")[0], NOBODY)
        _hold_cells(ledger, f"table of experiments: {label}", (people, rate), group)
        ledger.hold(f"table of experiments: {label}, conversions", conversions, int(group.converted.sum()))


def _hold_cells(ledger: Ledger, where: str, told: tuple[int, float | None], counted: Group) -> None:
    ledger.hold(f"{where}, people", told[0], counted.people)
    rate = mean_of(counted.converted) if counted.people else None
    ledger.hold(f"{where}, rate", told[1], rate, ESTIMATES_NEAR)
