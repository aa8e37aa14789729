"""What the demo shows at its end: a table, `summary.json` and `report.html` with pictures."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, select_autoescape
from markupsafe import Markup
from rich.console import Console
from rich.table import Table

from functions.domain.customers import Customer
from functions.domain.sends import SendRecord
from ops.accounts import accounts_of, every_customer, targeted_by_run, targeted_by_scenario
from ops.demo.charts import SHOP_ZONE, funnel, sends_a_day, suppressions
from ops.demo.run import Outcome
from ops.explain.cards import explanation_of
from ops.explain.known import Archive
from ops.stores import Stores

SCENARIO = "second_purchase"
TABLE_WIDTH = 90
THE_FIVE = ("onboarding", "second_purchase", "churn_prevention", "win_back", "upsell")
"""Each of them has to send something in the demo, or the demo has failed."""
Row = dict[str, Any]


def summary(outcome: Outcome) -> Row:
    """The contract's `summary.json`."""
    story = outcome.story
    return {
        **outcome.accounts.as_json(),
        "customers": story.customers,
        "events": len(story.history) + len(story.live),
        "virtual_days": (story.end - story.start).days,
        "duplicates": outcome.line.duplicates,
        "wall_seconds": round(outcome.wall_seconds, 1),
    }


def by_source(stores: Stores, customers: Sequence[Customer], records: Sequence[SendRecord]) -> list[Row]:
    """The accounts of each scenario and each campaign."""
    targeted = targeted_by_scenario(customers)
    for run, count in targeted_by_run(stores).items():
        targeted[run.split("@")[0]] += count
    rows = []
    for name in sorted(targeted):
        mine = [record for record in records if name in (record.scenario, record.campaign)]
        rows.append({"name": name, **accounts_of(targeted[name], mine).as_json()})
    return rows


def stages(customers: Sequence[Customer], records: Sequence[SendRecord]) -> list[tuple[str, int]]:
    """The second-purchase funnel, from the journeys, the send log and the purchases themselves."""
    entered = {c.customer_id: c for c in customers if any(j.scenario == SCENARIO for j in c.journeys)}
    linked = {customer_id for customer_id, c in entered.items() if c.line_user_id}
    mine = [record for record in records if record.scenario == SCENARIO and record.status == "sent"]
    reached = {record.customer_id for record in mine}
    again = {
        customer_id
        for customer_id in reached & entered.keys()
        if (tally := entered[customer_id].profile.tallies.get("orders")) and tally.count > 1
    }
    return [
        ("bought for the first time", len(entered)),
        ("linked to a LINE user", len(linked)),
        ("got at least one message", len(reached)),
        ("bought again", len(again)),
    ]


def print_table(rows: Sequence[Row], outcome: Outcome) -> None:
    """The final table."""
    table = Table(title="What became of every targeted message")
    for name in ("", "targeted", "sent", "suppressed", "failed", "unknown", "pending"):
        table.add_column(name, justify="left" if not name else "right")
    total = {"name": "all", **outcome.accounts.as_json()}
    for row in (*rows, total):
        cells = [
            row["targeted"],
            row["sent"],
            sum(row["suppressed"].values()),
            row["failed"],
            row["unknown"],
            row["pending"],
        ]
        table.add_row(
            row["name"], *(f"{cell:,}" for cell in cells), end_section=row is rows[-1] if rows else False
        )
    console = Console()
    console = Console(width=max(console.width, TABLE_WIDTH))
    console.print(table)
    line = outcome.line
    console.print(
        f"LINE accepted {line.accepted:,} messages and delivered {line.delivered:,}; it counted "
        f"[bold]duplicates: {line.duplicates}[/bold]. "
        + ("The accounts close." if outcome.accounts.is_closed else "[red]The accounts do not close.[/red]")
    )


class Explained(msgspec.Struct, frozen=True):
    """How many people, messages sent or not, and journeys begun or not were accounted for; how many were not."""

    customers: int
    decisions: int
    unexplained: int


def explain_everybody(stores: Stores, file: Path) -> Explained:
    """What `musubi explain --all` says, a line a customer, into the file."""
    customers = decisions = unexplained = 0
    with file.open("w", encoding="utf-8") as lines:
        for known in Archive(stores).everybody():
            card = explanation_of(known)
            lines.write(json.dumps(card, ensure_ascii=False) + "\n")
            customers += 1
            decisions += len(card["sends"]) + len(card["scenarios"]) + len(card["campaigns"])
            unexplained += len(card["unexplained"])
    return Explained(customers, decisions, unexplained)


def silent(rows: Sequence[Row]) -> list[str]:
    """Those of the five scenarios that sent nothing."""
    sent = {row["name"]: row["sent"] for row in rows}
    return [name for name in THE_FIVE if not sent.get(name)]


def write(outcome: Outcome, stores: Stores, folder: Path) -> list[str]:
    """Write `summary.json`, `report.html` and `explanations.jsonl` into the folder, and print the table.

    What is not as it must be: one line each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    customers, records = list(every_customer(stores)), list(stores.sends.all())
    rows = by_source(stores, customers, records)
    explained = explain_everybody(stores, folder / "explanations.jsonl")
    numbers = {**summary(outcome), "unexplained": explained.unexplained}
    (folder / "summary.json").write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")
    page = _page(outcome, numbers, rows, customers, records, explained)
    (folder / "report.html").write_text(page, encoding="utf-8")
    print_table(rows, outcome)
    return _amiss(outcome, rows, explained)


def _amiss(outcome: Outcome, rows: Sequence[Row], explained: Explained) -> list[str]:
    amiss = [f"the scenario {name} sent nothing" for name in silent(rows)]
    if not outcome.accounts.is_closed:
        amiss.append("the accounts do not close")
    if outcome.line.duplicates:
        amiss.append(f"{outcome.line.duplicates} messages came twice")
    if explained.unexplained:
        amiss.append(f"{explained.unexplained} messages are unexplained")
    return amiss


def _page(
    outcome: Outcome,
    numbers: Row,
    rows: Sequence[Row],
    customers: Sequence[Customer],
    records: Sequence[SendRecord],
    explained: Explained,
) -> str:
    story = outcome.story
    first, last = (instant.astimezone(SHOP_ZONE).date() for instant in (story.start, story.end))
    template = Environment(autoescape=select_autoescape(default=True)).from_string(
        (Path(__file__).parent / "report.html.j2").read_text(encoding="utf-8")
    )
    return template.render(
        numbers=numbers,
        rows=rows,
        line=outcome.line,
        explained=explained,
        closed=outcome.accounts.is_closed,
        first=first,
        last=last,
        history=len(story.history),
        live=len(story.live),
        pictures={
            "days": Markup(sends_a_day(records, first, last)),  # noqa: S704 (our own SVG)
            "reasons": Markup(suppressions(outcome.accounts.suppressed)),  # noqa: S704
            "funnel": Markup(funnel(stages(customers, records))),  # noqa: S704
        },
    )
