"""The demo's pictures, as SVG."""

import datetime as dt
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from functions.domain.sends import SendRecord

SHOP_ZONE = ZoneInfo("Asia/Tokyo")
COLOURS = {
    "onboarding": "#06a77d",
    "second_purchase": "#1f6feb",
    "churn_prevention": "#8250df",
    "win_back": "#cf222e",
    "upsell": "#bf3989",
    "weekly": "#f0a202",
}
GREY = "#8b949e"
DARK = "#24292f"
WIDE = (9.6, 3.2)


def _figure(size: tuple[float, float]) -> tuple[Figure, Axes]:
    mpl.rcParams.update(
        {"svg.hashsalt": "musubi", "font.size": 10, "text.color": DARK, "axes.edgecolor": "#d0d7de"}
    )
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def sends_a_day(records: Iterable[SendRecord], first: dt.date, last: dt.date) -> str:
    """Messages accepted by LINE each local day, stacked by scenario and campaign."""
    counts: Counter[tuple[str, dt.date]] = Counter()
    for record in records:
        if record.status == "sent":
            counts[record.scenario or record.campaign, record.at.astimezone(SHOP_ZONE).date()] += 1
    days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    figure, axes = _figure(WIDE)
    floor = [0] * len(days)
    for source in sorted({source for source, _ in counts}):
        heights = [counts[source, day] for day in days]
        axes.bar(
            [f"{day:%m-%d}" for day in days],
            heights,
            bottom=floor,
            label=source,
            color=COLOURS.get(source, GREY),
        )
        floor = [below + height for below, height in zip(floor, heights, strict=True)]
    axes.set_ylabel("messages")
    axes.set_xticks(range(0, len(days), 7), [f"{day:%a %m-%d}" for day in days[::7]])
    figure.legend(frameon=False, ncols=len(COLOURS), loc="outside upper left")  # clear of the campaign's bars
    return _svg(figure)


def suppressions(reasons: dict[str, int]) -> str:
    """Messages held back for good, by reason."""
    rows = sorted(reasons.items(), key=lambda row: row[1])
    figure, axes = _figure((9.6, 0.6 + 0.38 * max(1, len(rows))))
    bars = axes.barh([name for name, _ in rows], [count for _, count in rows], color="#cf222e", height=0.62)
    axes.bar_label(bars, fmt="{:,.0f}", padding=4)
    axes.set_xlabel("messages not sent")
    return _svg(figure)


def funnel(stages: Sequence[tuple[str, int]]) -> str:
    """How many people came how far; each stage with its share of the first."""
    figure, axes = _figure((9.6, 0.5 + 0.5 * len(stages)))
    names = [name for name, _ in stages][::-1]
    values = [count for _, count in stages][::-1]
    bars = axes.barh(names, values, color="#06a77d", height=0.66)
    top = max(1, stages[0][1])
    axes.bar_label(bars, labels=[f"{value:,}  ({value / top:.0%})" for value in values], padding=4)
    axes.set_xlim(0, top * 1.18)
    axes.set_xlabel("customers")
    return _svg(figure)
