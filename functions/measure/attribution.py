"""Contacts and conversions: which message had part in which order, by last touch and by first."""

import datetime as dt
from collections.abc import Iterable

from functions.domain.facts import SENDS
from functions.domain.playbook import Goal
from functions.measure.happenings import AMENDABLE_DAYS, corrected, happenings_of
from functions.measure.periods import literal
from functions.measure.run import Run, window_days
from functions.measure.tables import BILLS, CONTACTS, CONVERSIONS, MESSAGES, ORDERS


def derive_contacts(run: Run) -> set[dt.date]:
    """The partitions of `contacts` that change, which it returns, and the snapshots of messages and bills."""
    _targets(run)
    run.view_then(MESSAGES)
    run.view_then(BILLS)
    run.workspace.view(SENDS, run.days)
    run.workspace.view(CONTACTS, run.days, "contacts_then")
    run.make("contacts_new", "contacts")
    days = run.differing(CONTACTS, "contacts_new", "contacts_then")
    run.write_days(CONTACTS, days, "contacts_new")
    run.workspace.view(CONTACTS, days, "contacts_then")
    run.list_days("days_differing", days)
    run.execute("DELETE FROM contacts_new WHERE day NOT IN (SELECT day FROM days_differing)")
    run.make("messages_now", "messages_now")
    run.write_snapshot(MESSAGES, "messages_now")
    price = run.playbook.price
    run.make(
        "bills_now",
        "bills_now",
        plan_yen=price.plan_yen,
        free_messages=price.free_messages,
        yen_each=price.yen_each,
    )
    run.write_snapshot(BILLS, "bills_now")
    return days


def _targets(run: Run) -> None:
    """The table `targets`: the segment that each campaign and scenario is for."""
    book = run.playbook
    rows = [(name, "", one.entry.segment) for name, one in book.scenarios.items() if one.entry.segment]
    rows += [("", name, one.segment) for name, one in book.campaigns.items()]
    written = ", ".join(f"({', '.join(map(literal, row))})" for row in rows) or "('', '', '')"
    run.execute(
        f"CREATE OR REPLACE TEMP TABLE targets AS SELECT * FROM (VALUES {written}) AS v (scenario, campaign, segment)"
    )


def derive_conversions(run: Run, ordered: set[dt.date], contacted: set[dt.date]) -> set[dt.date]:
    """The partitions of `conversions` that change, which it returns. `ordered`, `contacted`: the days on which orders and
    contacts changed."""
    goals = run.measure.goals
    within = max((window_days(goal.within_seconds) for goal in goals.values()), default=0)
    days = run.days | ordered | run.until(contacted, within) | _merged(run, within)
    if any(goal.event != run.measure.order for goal in goals.values()):
        days |= _taken_back(run)
    days = {day for day in days if day <= run.day}
    run.drafts.view(CONTACTS, run.since(days, within), "contacts_now")
    run.workspace.view(CONVERSIONS, days, "conversions_then")
    run.execute("CREATE OR REPLACE TEMP TABLE conversions_new AS SELECT * FROM conversions_then LIMIT 0")
    for name, goal in goals.items():
        _reached(run, goal, days)
        run.make("conversions_of_goal", "conversions", goal=name, within=goal.within_seconds)
        run.execute("INSERT INTO conversions_new BY NAME SELECT * FROM conversions_of_goal")
    differing = run.differing(CONVERSIONS, "conversions_new", "conversions_then")
    run.write_days(CONVERSIONS, differing, "conversions_new")
    return differing


def _reached(run: Run, goal: Goal, days: Iterable[dt.date]) -> None:
    """The table `reached`: the goal's events of these days."""
    if goal.event == run.measure.order:
        run.drafts.view(ORDERS, days, "orders_now")
        run.make("reached", "goals_of_orders", when_number=goal.when_number)
        return
    happenings_of(run, goal.event, days)
    corrected(run, goal.event)
    run.make("reached", "goals_of_events")


def _merged(run: Run, within: int) -> set[dt.date]:
    """The days on which messages to whoever now belongs to somebody else may have had part in something."""
    run.make("moved_spans", "moved_spans")
    spans = run.rows("SELECT first_day, last_day FROM moved_spans")
    days: set[dt.date] = set()
    for first, last in spans:
        days |= run.until({first}, (last - first).days + within)
    return days


def _taken_back(run: Run) -> set[dt.date]:
    """The days of conversions of which new corrections of goals that are no orders speak."""
    found = run.rows(f"""
        SELECT key, min(CAST(n.at AS DATE)) FROM amendments_new AS n
        WHERE event <> {literal(run.measure.order)} GROUP BY key""")
    if not found:
        return set()
    days = run.since((day for _, day in found), AMENDABLE_DAYS + 1) | run.until((day for _, day in found), 1)
    run.workspace.view(CONVERSIONS, days, "conversions_sought")
    return run.days_of("""
        SELECT DISTINCT s.day FROM conversions_sought AS s
        JOIN amendments_new AS n ON n.key = s.order_id""")
