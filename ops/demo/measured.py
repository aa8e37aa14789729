"""The demo's own measured facts as the three reports."""

from pathlib import Path

from ops.reports.content import PeriodKind
from ops.reports.deployed import deployed_source
from ops.reports.making import made
from ops.reports.page import page_of
from ops.target import Target

KINDS: tuple[PeriodKind, ...] = ("daily", "weekly", "monthly")


def write_reports(target: Target, folder: Path) -> list[str]:
    """Write `daily.html`, `weekly.html` and `monthly.html`; what is not as it must be, one line each."""
    folder.mkdir(parents=True, exist_ok=True)
    amiss = []
    with deployed_source(target) as source:
        for kind in KINDS:
            report = made(source, kind, None)
            (folder / f"{kind}.html").write_text(page_of(report), encoding="utf-8")
            if not any(
                block.figures
                for section in report.sections
                for block in section.blocks
                if hasattr(block, "figures")
            ):
                amiss.append(f"the {kind} report has no figures")
    return amiss
