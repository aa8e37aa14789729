"""The demo's own measured facts as the three reports, and each figure of them recounted."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
from rich.console import Console

from functions.domain.events import Event
from ops.demo.story import Story
from ops.recount.deployed import recounted
from ops.recount.tables import raw_of
from ops.reports.command import as_text
from ops.reports.content import PeriodKind, Report
from ops.reports.deployed import deployed_source
from ops.reports.making import made
from ops.stores import Stores

KINDS: tuple[PeriodKind, ...] = ("daily", "weekly", "monthly")
SHOWN_MAX = 20


def write_reports(stores: Stores, story: Story, folder: Path) -> list[str]:
    """Write `daily`, `weekly` and `monthly`, each as `.html` and `.json`, and hold what the JSON says against the demo's
    own tables and purchases; what is not as it must be, one line each."""
    folder.mkdir(parents=True, exist_ok=True)
    with deployed_source(stores.target) as source:
        reports = [made(source, kind, None) for kind in KINDS]
        written = [_written(report, folder) for report in reports]
        raw = raw_of(stores, told_by_the_crm(story))
        ledger = recounted(source, raw, stores.playbooks.in_force(), written)
    differ = f"{len(ledger.differing):,} differ" if ledger.differing else "all equal"
    Console().print(f"{ledger.held:,} figures recounted from the raw rows: {differ}.")
    return ledger.differing[:SHOWN_MAX]


def told_by_the_crm(story: Story) -> Iterable[Event]:
    """The purchases' source and everything else that was imported or posted."""
    return [*story.history, *(one.event for one in story.live if one.event is not None)]


def _written(report: Report, folder: Path) -> dict[str, object]:
    for form in ("html", "json"):
        (folder / f"{report.kind}.{form}").write_text(as_text(report, form), encoding="utf-8")
    return msgspec.json.decode(as_text(report, "json"), type=dict[str, object])
