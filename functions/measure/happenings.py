"""Events of one name, whose they are now, and what corrections say of them."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

from functions.domain.events import Amendment
from functions.domain.facts import EVENTS
from functions.measure.run import Run

NOTHING = "$._"
"""A path at which no event has anything."""
AT_ALL_DAYS = 36_500
AMENDABLE_DAYS = 62
"""What is no order is taken back by what comes within so many days of it."""


def path_to(name: str) -> str:
    """The path of a property within an event's JSON."""
    return f"$.{name}" if name else NOTHING


def corrections_of(run: Run) -> Mapping[str, Amendment]:
    """The events that correct orders and goals: name → what each amends."""
    measured = {run.measure.order, *(goal.event for goal in run.measure.goals.values())}
    return {
        name: event.amends
        for name, event in run.playbook.events.items()
        if event.amends is not None and event.amends.event in measured
    }


def note_amendments(run: Run) -> None:
    """The tables `amendments_new`, of the days that were touched, and `amendments_now`, of all times."""
    amending = corrections_of(run)
    run.workspace.view(EVENTS, run.days if amending else [])
    run.execute(
        "CREATE OR REPLACE TEMP TABLE amendments_new AS SELECT * EXCLUDE (day) FROM amendments_then LIMIT 0"
    )
    for name, amends in amending.items():
        less = {theirs: own for own, theirs in amends.less.items()}
        run.make(
            "amendments_named",
            "amendments",
            name=name,
            event=amends.event,
            property=amends.by,
            key_path=path_to(amends.by),
            taken_back=not amends.less,
            less_path=path_to(less.get(run.measure.value, "")),
            less_profit_path=path_to(less.get(run.measure.profit, "") if run.measure.profit else ""),
        )
        run.execute("INSERT INTO amendments_new BY NAME SELECT * FROM amendments_named")
    run.make("amendments_now", "amendments_now")


def happenings_of(run: Run, name: str, days: Iterable[dt.date]) -> None:
    """The table `happenings`: the confirmed events of a name."""
    run.workspace.view(EVENTS, days if name else [])
    run.make("happenings", "happenings", name=name)


def corrected(run: Run, name: str) -> None:
    """The tables `keys` and `corrections` of `happenings`, which are events of this name."""
    properties: Collection[str] = {one.by for one in corrections_of(run).values() if one.event == name}
    run.make("keys", "keys", property="", path=NOTHING)
    for one in sorted(properties):
        run.make("keys_of_property", "keys", property=one, path=path_to(one))
        run.execute("INSERT INTO keys SELECT * FROM keys_of_property")
    within = AT_ALL_DAYS if name == run.measure.order else AMENDABLE_DAYS
    run.make("corrections", "corrections", within_days=within)
