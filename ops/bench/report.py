"""The benchmarks' figures as people and programs read them: a table, JSON, and a page of the documentation."""

import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.table import Table

from infra.bundle import ROOT
from ops.bench import bundles, cold, cold_table, memory_size, prices
from ops.bench.growth import Month, campaign_seconds
from ops.bench.lanes import BULK_WORKERS
from ops.bench.measure import Measure

JSON = ROOT / "build" / "bench.json"
PAGE = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "growth.svg"


def table(measures: Sequence[Measure]) -> Table:
    """Measured, baseline, budget, and whether it holds."""
    shown = Table("what", "measured", "baseline, in the same run", "budget", "holds?", title="Benchmarks")
    for one in measures:
        shown.add_row(
            one.name, _value(one), one.baseline, _budget(one), _verdict(one, "[green]yes[/]", "[red]NO[/]")
        )
    return shown


def as_json(measures: Sequence[Measure], months: Sequence[Month], details: dict[str, Any]) -> str:
    """Everything, with the counted calls behind it."""
    rows = [
        {"name": one.name, "value": one.value, "unit": one.unit, "limit": one.limit, "ok": one.ok, "baseline": one.baseline}
        for one in measures
    ]  # fmt: skip
    whole = {
        "on": {"python": platform.python_version(), "machine": platform.machine()},
        "prices": {"region": prices.REGION_NAME, "as_of": prices.AS_OF},
        "measures": rows,
        "months": [{**msgspec.structs.asdict(one), "total": one.total} for one in months],
        "details": msgspec.to_builtins(details),
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def page_with(page: str, measures: Sequence[Measure], months: Sequence[Month], message_ms: float) -> str:
    """The page with its two tables made anew; what stands around them is written by hand."""
    page = _between(page, "measured", _measured(measures))
    return _between(page, "growth", _growth(months, message_ms))


def page_with_cold(page: str, found: cold.Found) -> str:
    """The page with what is told of cold starts, memory and bundles made anew."""
    page = _between(page, "cold", cold_table.table(found))
    page = _between(page, "memory", memory_size.table(found))
    return _between(page, "bundles", bundles.table())


def _between(page: str, name: str, text: str) -> str:
    begin, end = (
        f"<!-- {name}: begin, written by python -m ops.bench --write-docs -->",
        f"<!-- {name}: end -->",
    )
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the page has no place for {name}")
    return f"{before}{begin}\n{text}\n{end}{after}"


def _measured(measures: Sequence[Measure]) -> str:
    rows = ["| what | measured | baseline, in the same run | budget | holds? |", "|---|---|---|---|---|"]
    rows += [
        f"| {one.name} | {_value(one)} | {one.baseline} | {_budget(one)} | {_verdict(one, 'yes', '**no**')} |"
        for one in measures
    ]
    return "\n".join(rows)


def _growth(months: Sequence[Month], message_ms: float) -> str:
    columns = (
        "customers", "events", "messages", "campaigns' scans", "kept", "idle minutes", "a month", "a customer",
        f"a campaign to all, pushed by {BULK_WORKERS} workers", "… at LINE's limit", "… multicast at LINE's limit",
    )  # fmt: skip
    rows = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for one in months:
        parts = (one.events, one.messages, one.scans, one.storage, one.idle, one.total)
        dollars = [f"${part:,.2f}" for part in parts]
        seconds = msgspec.structs.astuple(campaign_seconds(one.customers, message_ms))
        cells = [
            f"{one.customers:,}",
            *dollars,
            f"${one.total / one.customers:.6f}",
            *map(_duration, seconds),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _duration(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"  # noqa: PLR2004 — easier to read


def _value(one: Measure) -> str:
    return f"{one.value:,.4g} {one.unit}"


def _budget(one: Measure) -> str:
    return "–" if one.limit is None else f"≤ {one.limit:,.4g}"


def _verdict(one: Measure, yes: str, no: str) -> str:
    if one.limit is None:
        return "–"
    return yes if one.ok else no


def write(path: Path, text: str) -> None:
    """Write, with the folders that lead there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
