"""What experiments and holdouts have shown so far: everybody by the arm they were given, whatever became of the message.

A person counts from the day on which the time to act (the goal's window) is over for them, so that who came yesterday does
not look like somebody who did not buy. Intervals and p are always-valid: these results may be read every day.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, cast
from zoneinfo import ZoneInfo

import duckdb

from functions.domain import playbook as pb
from functions.measure.enrolments import HELD_OUT, TREATED, Covered, covered, enrol_exposed, enrol_targeted
from functions.measure.experiment_results import Arm, Comparison, ExperimentResult, Lift, ScopeKind
from functions.measure.holding import Pair, arm_of, held_against, lacks_of, planned, told
from functions.measure.outcomes import NOBODY, Arms, live, sums, window_days
from functions.measure.periods import days_between, newest
from functions.measure.statistics.ratio import sample_ratio

__all__ = ["Arm", "Comparison", "ExperimentResult", "Lift", "lifts", "results"]

LOOK_BACK_DAYS = 180
"""Whoever came to an experiment longer ago does not count any more, so that a day's work does not grow with history."""

_SEGMENTS = """JOIN (
  WITH known AS (SELECT m.segment, m.change, m.at, coalesce(o.owner, m.customer_id) AS customer_id
                 FROM memberships m LEFT JOIN owners o ON o.customer_id = m.customer_id),
  later AS (SELECT l.scope, l.customer_id, k.segment, arg_min(k.change, k.at) AS change
            FROM lived l JOIN known k ON k.customer_id = l.customer_id AND k.at > l.at GROUP BY ALL),
  today AS (SELECT m.segment, coalesce(o.owner, m.customer_id) AS customer_id, arg_max(m.change, m.at) AS change
            FROM members m LEFT JOIN owners o ON o.customer_id = m.customer_id GROUP BY ALL)
  SELECT scope, customer_id, segment FROM later WHERE change = 'left'
  UNION
  SELECT l.scope, l.customer_id, t.segment FROM lived l JOIN today t USING (customer_id)
  WHERE t.change = 'entered'
    AND NOT EXISTS (FROM later WHERE later.scope = l.scope AND later.customer_id = l.customer_id
                                 AND later.segment = t.segment)
) was ON was.scope = l.scope AND was.customer_id = l.customer_id"""
"""In which segments everybody was when they were targeted: today's, but for what has changed since."""


class Views(Protocol):
    """What of a workspace is needed here."""

    @property
    def connection(self) -> duckdb.DuckDBPyConnection: ...

    def view(self, table: str, days: Iterable[dt.date]) -> None:
        """Make a view of exactly these partitions of a table."""

    def days(self, table: str) -> list[dt.date]:
        """The days of which there are partitions, in order."""


def results(
    workspace: Views,
    playbook: pb.Playbook,
    first: dt.date,
    last: dt.date,
) -> list[ExperimentResult]:
    """Each experiment of the playbook to which anybody came from `first` to `last`, from its beginning on (at most
    LOOK_BACK_DAYS before `last`), as far as is known by the newest measured day."""
    if not playbook.measure.goals:
        return []
    begin = min(first, last - dt.timedelta(days=LOOK_BACK_DAYS))
    until = _open(workspace, playbook, begin, last, ["exposures"])
    enrol_exposed(workspace.connection)
    recent = dict(
        workspace.connection.execute(
            f"SELECT scope, max(enrolled.at) >= '{first}' FROM enrolled GROUP BY 1"
        ).fetchall()
    )
    return [
        _result(workspace, playbook, name, experiment, until)
        for name, experiment in sorted(playbook.experiments.items())
        if recent.get(name)
    ]


def lifts(
    workspace: Views,
    playbook: pb.Playbook,
    first: dt.date,
    last: dt.date,
    *,
    by_segment: bool = False,
) -> list[Lift]:
    """The lift of the whole account and of each scenario and campaign, among those first targeted from `first` to `last`,
    in the playbook's first goal. Scopes without anybody held out have none. `by_segment`: of each segment as well, by who
    was in it when they were targeted; their p are Holm's over the segments of a scope."""
    if not playbook.measure.goals:
        return []
    scopes = {one.scope: one for one in covered(playbook)}
    until = _open(workspace, playbook, first, last, ["sends", *(["memberships"] if by_segment else [])])
    enrol_targeted(workspace.connection, list(scopes.values()))
    name, goal = next(iter(playbook.measure.goals.items()))
    live(workspace.connection, playbook.measure, goal, until)
    families: list[_Family] = [
        [((scope, ""), arms)] for scope, arms in sorted(sums(workspace.connection).items())
    ]
    if by_segment:
        parted = sums(workspace.connection, "concat(l.scope, chr(31), was.segment)", _SEGMENTS)
        keyed = [((*key.split("\x1f"),), arms) for key, arms in sorted(parted.items())]
        families += [found for scope in scopes if (found := [one for one in keyed if one[0][0] == scope])]
    about = _About(name, window_days(goal), (last - first).days + 1)
    return sorted(
        (lift for family in families for lift in _lifts(family, scopes, about)),
        key=lambda one: (one.scope_kind != "all", one.scope_kind, one.scope, one.segment),
    )


_Family = Sequence[tuple[tuple[str, ...], Arms]]


class _About(NamedTuple):
    goal: str
    window_days: int
    days: int


def _lifts(family: _Family, scopes: Mapping[str, Covered], about: _About) -> list[Lift]:
    pairs = [
        Pair(TREATED, HELD_OUT, arms.get(TREATED, NOBODY), arms.get(HELD_OUT, NOBODY)) for _, arms in family
    ]
    conversions, profits = held_against("conversion", pairs), held_against("gross_profit", pairs)
    return [
        _lift(key, scopes[key[0]].percent / 100, pair, (conversion, profit), about, among=len(family))
        for (key, _), pair, conversion, profit in zip(family, pairs, conversions, profits, strict=True)
    ]


def _lift(
    key: tuple[str, ...],
    held_out: float,
    pair: Pair,
    comparisons: tuple[Comparison, Comparison],
    about: _About,
    *,
    among: int,
) -> Lift:
    (scope, segment), (conversion, profit) = key, comparisons
    scope_kind, _, name = scope.partition(":")
    # Whose time to act is not over is in an arm all the same.
    everybody = [one.people + one.waiting for one in (pair.treated, pair.base)]
    ratio = sample_ratio(everybody, [1 - held_out, held_out])
    smallest = min(held_out, 1 - held_out)
    needed = planned([pair.treated, pair.base], smallest, among, about.days, about.window_days)
    lacks = lacks_of([pair], [conversion], about.days, needed, mismatch=ratio.mismatch)
    return Lift(
        scope_kind=cast("ScopeKind", scope_kind),
        scope=name,
        segment=segment,
        goal=about.goal,
        window_days=about.window_days,
        treated=arm_of(TREATED, pair.treated),
        held_out=arm_of(HELD_OUT, pair.base),
        conversion=conversion,
        gross_profit=profit,
        incremental_conversions=conversion.difference * pair.treated.people,
        incremental_gross_profit=profit.difference * pair.treated.people,
        srm_p=ratio.always_p,
        needed=needed,
        enough=not lacks,
        lacks=lacks,
        why_not=told(lacks),
    )


def _result(
    workspace: Views, playbook: pb.Playbook, name: str, experiment: pb.Experiment, until: dt.datetime
) -> ExperimentResult:
    goal_name, goal = _goal_of(playbook.measure, experiment)
    connection = workspace.connection
    first_at, last_at = connection.execute(
        "SELECT min(enrolled.at), max(enrolled.at) FROM enrolled WHERE scope = ?", [name]
    ).fetchall()[0]
    live(connection, playbook.measure, goal, until)
    arms = sums(connection).get(name, {})
    outcomes = {arm: arms.get(arm, NOBODY) for arm in experiment.variants}
    control, *others = outcomes
    pairs = [Pair(arm, control, outcomes[arm], outcomes[control]) for arm in others]
    comparisons = [*held_against("conversion", pairs), *held_against("gross_profit", pairs)]
    weights = list(experiment.variants.values())
    ratio = sample_ratio([one.people + one.waiting for one in outcomes.values()], weights)
    days = (last_at - first_at).days + 1
    needed = planned(
        list(outcomes.values()), min(weights) / sum(weights), len(pairs), days, window_days(goal)
    )
    first_metric = [one for one in comparisons if one.metric == "conversion"]
    lacks = lacks_of(pairs, first_metric, days, needed, mismatch=ratio.mismatch)
    return ExperimentResult(
        experiment=name,
        changes=experiment.changes,
        owner=experiment.owner,
        goal=goal_name,
        window_days=window_days(goal),
        first_at=first_at.replace(tzinfo=dt.UTC),
        days=days,
        arms=[arm_of(arm, outcome) for arm, outcome in outcomes.items()],
        comparisons=comparisons,
        srm_p=ratio.always_p,
        needed=needed,
        enough=not lacks,
        lacks=lacks,
        why_not=told(lacks),
    )


def _goal_of(measure: pb.Measure, experiment: pb.Experiment) -> tuple[str, pb.Goal]:
    """The goal that the experiment measures, else the first one."""
    name = experiment.measures if experiment.measures in measure.goals else next(iter(measure.goals))
    return name, measure.goals[name]


def _open(
    workspace: Views, playbook: pb.Playbook, first: dt.date, last: dt.date, facts: Iterable[str]
) -> dt.datetime:
    """Make views of what is read: facts of these days, and what people did until their time to act was over, as far as
    that has been measured. Until when that is, in UTC."""
    window = max((window_days(goal) for goal in playbook.measure.goals.values()), default=0)
    measured = newest(workspace.days("customers"))
    over = max(last, min([last + dt.timedelta(days=window), *(measured or [last])]))
    for table in facts:
        workspace.view(table, days_between(first, over if table == "memberships" else last))
    for table in ("orders", "contacts", "events"):
        workspace.view(table, days_between(first, over))
    for table in ("owners", "members", "bills"):
        workspace.view(table, newest(workspace.days(table)))
    midnight = dt.datetime.combine(over + dt.timedelta(days=1), dt.time(), ZoneInfo(playbook.zone))
    return midnight.astimezone(dt.UTC)
