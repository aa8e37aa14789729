"""The reports' own figures, as `--format json` gives them, held against the recount.

A block that is not known here counts as a difference, so that none is added that nobody recounts.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from functions.measure.kpis import KPIS
from ops.recount.blocks import HOLDING, About, Block
from ops.recount.kpis import Recount
from ops.recount.ledger import Ledger

SENTENCES = frozenset({"alerts", "money_watch", "accounts", "playbook_changes", "plan", "dead_letters"})
"""Words, and what no row tells of."""
TRIALS = frozenset({"experiments", "experiment_differences", "lifts", "lift_intervals"})
"""Held by `tested`."""


def hold_report(ledger: Ledger, report: Mapping[str, Any], recount: Recount) -> set[str]:
    """Everything in a report; the KPIs that it has."""
    names = ("first", "last", "previous_first", "previous_last")
    about = About(recount, *(dt.date.fromisoformat(report[name]) for name in names))
    shown: set[str] = set()
    for block in (block for section in report["sections"] for block in section["blocks"]):
        where = f"{report['kind']}: {block['id']}"
        for figure in _figures_in(block):
            ledger.hold(f"{where}: {figure['id']}", figure["value"], about.now(figure["id"]))
            ledger.hold(f"{where}: {figure['id']} before", figure["previous"], about.before(figure["id"]))
            if figure["value"] is None:
                ledger.hold(
                    f"{where}: {figure['id']} says why it has no value", bool(figure["note"]), counted=True
                )
        shown |= kpis_in(block)
        if holding := HOLDING.get(block["id"]):
            for what, told, counted in holding(block, about):
                ledger.hold(f"{where}: {what}", told, counted)
        elif not (block["type"] in ("figures", "tree") or block["id"] in SENTENCES | TRIALS):
            ledger.hold(f"{where} is recounted", told=False, counted=True)
    return shown


def _figures_in(block: Block) -> Iterator[dict[str, Any]]:
    if block["type"] == "figures":
        yield from block["figures"]
    elif block["type"] == "tree":
        yield from _of_branch(block["root"])


def _of_branch(branch: Any) -> Iterator[dict[str, Any]]:
    yield branch["figure"]
    for one in branch["moved_by"]:
        yield from _of_branch(one)


def kpis_in(block: Block) -> set[str]:
    """The KPIs of which a block has figures."""
    names = {one.name: one.id for one in KPIS.values()}
    found = {figure["id"] for figure in _figures_in(block)}
    if block["type"] == "table" and block["rows"]:
        found |= {column["id"] for column in block["columns"]}
        found |= {names[row[0]] for row in block["rows"] if row[0] in names}
    return found & KPIS.keys()
