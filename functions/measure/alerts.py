"""The stage that looks for what is off on a measured day: past a limit of the playbook, or out of its usual range.

Usual is what the same weekdays of the 28 days before were. Nothing here names a person.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from functions.domain.alerts import Alert, AlertKind, ScopeKind
from functions.domain.instants import Instant
from functions.domain.playbook import Playbook
from functions.measure.days import day_begins
from functions.measure.enrolments import enrol_exposed
from functions.measure.experiments import LOOK_BACK_DAYS
from functions.measure.happenings import path_to
from functions.measure.outcomes import OWNER
from functions.measure.periods import days_between, literal, newest
from functions.measure.statistics.ratio import sample_ratio
from functions.measure.usual import Count, surely_above, unusually_high, unusually_low
from functions.measure.views import Views

WEEKS = 4
DAY_SECONDS = 86_400
SOURCE_DAYS = 8
STEP_DAYS = 14
STEP_MESSAGES_MIN = 20
COUPON_DAYS = 7
SUNDAY = 6
"""What is slow is looked at once a week, over whole weeks."""


class Looked(NamedTuple):
    """What a look needs: the views, the day, the playbook, and the instant that findings bear."""

    views: Views
    day: dt.date
    playbook: Playbook
    at: Instant

    @property
    def weekdays(self) -> list[dt.date]:
        """The same weekday of the weeks before, the oldest first."""
        return [self.day - dt.timedelta(weeks=number) for number in range(WEEKS, 0, -1)]

    def found(
        self, kind: AlertKind, scope: tuple[str, str], value: float, usual: float, count: int, *, limit: bool
    ) -> Alert:
        """A finding of this day."""
        scope_kind: ScopeKind = scope[0]  # type: ignore[assignment]
        beyond = "limit" if limit else "band"
        return Alert(kind, self.day, scope_kind, scope[1], value, usual, count, beyond, self.at)  # type: ignore[arg-type]


def look(looked: Looked) -> list[Alert]:
    """All that is off on the day, in a fixed order."""
    if not looked.playbook.alerts.on:
        return []
    found = [*_messages(looked), *_stale(looked), *_silent(looked), *_sample_ratio(looked)]
    if looked.day.weekday() == SUNDAY:
        found += [*_steps_unclicked(looked), *_coupons_unused(looked)]
    return sorted(found, key=lambda one: one.alert_id)


_NOT_OF: Mapping[str, tuple[str, ...]] = {
    "block_rate": ("segment",),
    "failures": ("segment",),
    "response_low": ("all",),
}
"""What would say the same thing twice."""

_Parts = Mapping[tuple[str, str], Mapping[dt.date, Mapping[str, float]]]


def _parts(looked: Looked, days: Iterable[dt.date], kinds: Iterable[str]) -> _Parts:
    """(kind of scope, scope) → day → part → value."""
    looked.views.view("daily", days)
    listed = ", ".join(literal(kind) for kind in kinds)
    rows = looked.views.connection.execute(
        f"SELECT scope_kind, scope, day, part, sum(value) FROM daily WHERE goal = '' AND scope_kind IN ({listed}) GROUP BY ALL"
    ).fetchall()
    found: dict[tuple[str, str], dict[dt.date, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for kind, scope, day, part, value in rows:
        found[kind, scope][day][part] = value
    return found


def _messages(looked: Looked) -> Iterator[Alert]:
    """Blocks, clicks and failures of everybody, and of each scenario, campaign and segment."""
    rules = looked.playbook.alerts
    parts = _parts(looked, [*looked.weekdays, looked.day], ("all", "scenario", "campaign", "segment"))
    for scope, by_day in sorted(parts.items()):
        for kind, of, numerators in (
            ("block_rate", "accepted", ("blocked",)),
            ("failures", "targeted", ("failed", "unknown")),
            ("response_low", "accepted", ("clicked",)),
        ):
            count = _count(by_day.get(looked.day, {}), of, numerators)
            if count.of < rules.messages_min or scope[0] in _NOT_OF[kind]:
                continue
            before = [_count(by_day.get(day, {}), of, numerators) for day in looked.weekdays]
            if kind == "response_low":
                yield from _low(looked, scope, count, before)
            else:
                limit = rules.block_rate_percent if kind == "block_rate" else rules.failures_percent
                yield from _high(looked, kind, scope, count, before, limit / 100)  # type: ignore[arg-type]


def _count(parts: Mapping[str, float], of: str, numerators: Iterable[str]) -> Count:
    whole = int(parts.get(of, 0))
    # Who clicks or blocks today may have got the message yesterday.
    return Count(min(whole, int(sum(parts.get(one, 0) for one in numerators))), whole)


def _high(
    looked: Looked,
    kind: AlertKind,
    scope: tuple[str, str],
    count: Count,
    before: list[Count],
    limit: float,
) -> Iterator[Alert]:
    if surely_above(count, limit):
        yield looked.found(kind, scope, count.rate, limit, count.of, limit=True)
        return
    usual = unusually_high(count, before)
    if usual is not None:
        yield looked.found(kind, scope, count.rate, usual, count.of, limit=False)


def _low(looked: Looked, scope: tuple[str, str], count: Count, before: list[Count]) -> Iterator[Alert]:
    usual = unusually_low(count, before)
    if usual is not None:
        yield looked.found("response_low", scope, count.rate, usual, count.of, limit=False)


def _stale(looked: Looked) -> Iterator[Alert]:
    """Sources that have told of nothing for longer than their data may be old, at the end of the day."""
    sources = looked.playbook.sources
    if not sources:
        return
    looked.views.view("events", days_between(looked.day - dt.timedelta(days=SOURCE_DAYS - 1), looked.day))
    heard = dict(
        looked.views.connection.execute(
            "SELECT source, max(events.at) FROM events WHERE NOT imported GROUP BY 1"
        ).fetchall()
    )
    end = day_begins(looked.day + dt.timedelta(days=1), looked.playbook.zone)
    for name, source in sorted(sources.items()):
        last = heard.get(name)
        seconds = (end - last.replace(tzinfo=dt.UTC)).total_seconds() if last else SOURCE_DAYS * DAY_SECONDS
        if seconds > source.fresh_seconds:
            hours, most = seconds / 3600, source.fresh_seconds / 3600
            yield looked.found("stale", ("source", name), hours, most, 0, limit=True)


def _silent(looked: Looked) -> Iterator[Alert]:
    """Whether more than usual of a day's buyers have bought nothing since, so many days later."""
    days = looked.playbook.alerts.silent_seconds // DAY_SECONDS
    looked.views.view("customers", newest(looked.views.days("customers")))
    counts = [
        _silent_of(looked, day - dt.timedelta(days=days), day) for day in (*looked.weekdays, looked.day)
    ]
    *before, count = counts
    if count.of < looked.playbook.alerts.messages_min:
        return
    usual = unusually_high(count, before)
    if usual is not None:
        yield looked.found("silent", ("all", ""), count.rate, usual, count.of, limit=False)


def _silent_of(looked: Looked, bought: dt.date, until: dt.date) -> Count:
    rows = looked.views.connection.execute(
        "SELECT count(*) FILTER (len(list_filter(days, lambda d: d > ? AND d <= ?)) = 0), count(*) FROM customers "
        "WHERE list_contains(days, ?)",
        [bought, until, bought],
    ).fetchall()
    return Count(*rows[0])


def _sample_ratio(looked: Looked) -> Iterator[Alert]:
    """Experiments to which somebody came today, and whose arms are not as large as their weights say."""
    looked.views.view("exposures", [looked.day])
    touched = {
        name
        for (name,) in looked.views.connection.execute("SELECT DISTINCT experiment FROM exposures").fetchall()
    }
    running = [(name, one) for name, one in sorted(looked.playbook.experiments.items()) if name in touched]
    if not running:
        return
    looked.views.view(
        "exposures", days_between(looked.day - dt.timedelta(days=LOOK_BACK_DAYS - 1), looked.day)
    )
    looked.views.view("owners", newest(looked.views.days("owners")))
    enrol_exposed(looked.views.connection)
    rows = looked.views.connection.execute(
        "SELECT scope, arm, count(*) FROM enrolled GROUP BY 1, 2"
    ).fetchall()
    people = {(scope, arm): count for scope, arm, count in rows}
    for name, experiment in running:
        counts = [people.get((name, arm), 0) for arm in experiment.variants]
        ratio = sample_ratio(counts, list(experiment.variants.values()))
        if ratio.mismatch:
            scope = ("experiment", name)
            yield looked.found("sample_ratio", scope, ratio.always_p, 0.0, sum(counts), limit=True)


def _steps_unclicked(looked: Looked) -> Iterator[Alert]:
    """Scenarios of which several steps have not had a single click in two weeks, though clicks are told of at all."""
    days = days_between(looked.day - dt.timedelta(days=STEP_DAYS - 1), looked.day)
    parts = _parts(looked, days, ("all", "step"))
    sums = {
        scope: {part: sum(one.get(part, 0) for one in by_day.values()) for part in ("accepted", "clicked")}
        for scope, by_day in parts.items()
    }
    if not sums.get(("all", ""), {}).get("clicked"):
        return
    quiet: dict[str, list[float]] = defaultdict(list)
    for (kind, scope), one in sorted(sums.items()):
        if kind == "step" and one["accepted"] >= STEP_MESSAGES_MIN and not one["clicked"]:
            quiet[scope.partition("/")[0]].append(one["accepted"])
    for scenario, messages in quiet.items():
        if len(messages) >= looked.playbook.alerts.steps_unclicked:
            count = int(sum(messages))
            yield looked.found(
                "steps_unclicked", ("scenario", scenario), len(messages), 0.0, count, limit=True
            )


def _coupons_unused(looked: Looked) -> Iterator[Alert]:
    """Of a week's coupons, how many were not used in the time that people had."""
    rules = looked.playbook.alerts
    if {rules.coupon_issued, rules.coupon_used} - looked.playbook.events.keys():
        return
    until = looked.day - dt.timedelta(days=rules.coupon_seconds // DAY_SECONDS)
    first = until - dt.timedelta(days=COUPON_DAYS - 1)
    looked.views.view("events", days_between(first, looked.day))
    looked.views.view("owners", newest(looked.views.days("owners")))
    rows = looked.views.connection.execute(
        f"""WITH told AS (
          SELECT e.name, e.day, {OWNER.format("e")} AS who,
                 json_extract_string(e.properties, {literal(path_to(rules.coupon_id))}) AS coupon
          FROM events e WHERE e.status = 'confirmed' AND e.name IN ({literal(rules.coupon_issued)}, {literal(rules.coupon_used)})),
        issued AS (SELECT DISTINCT who, coupon FROM told WHERE name = {literal(rules.coupon_issued)} AND day <= {literal(until)})
        SELECT count(*) FILTER (NOT EXISTS (
          FROM told t WHERE t.name = {literal(rules.coupon_used)} AND t.who = i.who AND t.coupon = i.coupon)), count(*)
        FROM issued i"""
    ).fetchall()
    count, limit = Count(*rows[0]), rules.coupon_unused_percent / 100
    if count.of >= rules.messages_min and surely_above(count, limit):
        yield looked.found("coupons_unused", ("all", ""), count.rate, limit, count.of, limit=True)
