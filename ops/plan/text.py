"""The forecast on a terminal: one screen."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from ops.plan.cautions import Caution
from ops.plan.forecast import Forecast, Source

DIFFERENCES_SHOWN = 12
CAUTIONS_SHOWN = 12
SEGMENTS_SHOWN = 12

_CAUTIONS = {
    "nobody_reachable": "Nobody can be reached: no customer is tied to a LINE user (with --events, see --linked).",
    "segment_empty": "Segment {about} is empty.",
    "segment_small": "Segment {about} holds only {number:,.0f}: too few to learn from.",
    "nobody_enters": "Nobody enters scenario {about}.",
    "nothing_sent": "Campaign {about} is for {number:,.0f} people and reaches nobody.",
    "cap_never_reached": "Cap {about} holds nothing back.",
    "messages_max": "{about}: {number:,.0f} messages pass the limit of messages_max.",
    "yen_max": "{about}: {number:,.0f} yen pass the limit of yen_max.",
    "month_runs_out": "{about}: {number:,.0f} messages that matter less do not go, for the month runs out.",
    "campaign_yen_max": "Campaign {about}: its yen_max does not pay for {number:,.0f} messages.",
    "experiment_people": "Experiment {about} needs {number:,.0f} people an arm to find what its scenario aims at.",
    "experiment_days": "Experiment {about} has to run for {number:,.0f} days at the pace of this forecast.",
}


def told(caution: Caution) -> str:
    """A warning in a sentence."""
    return _CAUTIONS[caution.code].format(about=caution.about, number=caution.number)


def assumptions(forecast: Forecast) -> str:
    """What the forecast takes for granted, in a sentence or two."""
    assumed = forecast.assumed
    if not assumed.events:
        events = "No new events come in: nobody buys, follows or unlinks."
    elif assumed.replay_days:
        events = (
            f"The events of the last {assumed.replay_days} days come again ({assumed.events:,}); "
            "who was new then comes again as somebody new, linked as they are now."
        )
    else:
        events = f"{assumed.events:,} expected events come in."
    linked = " Everybody is taken to have a LINE user and to consent." if assumed.linked else ""
    return events + linked


def show(forecast: Forecast, console: Console) -> None:
    """Print it."""
    first, last = forecast.days[0].date, forecast.days[-1].date
    compared = f", compared with {forecast.against}" if forecast.against else ""
    console.print(
        f"[bold]{forecast.playbook}[/bold] {forecast.version}{compared}: {first} to {last}, "
        f"{forecast.customers:,} customers, {forecast.reachable:,} reachable."
    )
    console.print(assumptions(forecast), markup=False, highlight=False)
    console.print(_sources(forecast), _reasons(forecast), _months(forecast), _segments(forecast))
    _lines(
        console,
        "Changed",
        [f"{one.part} {one.name} {one.change} {one.detail}".rstrip() for one in forecast.differences],
        DIFFERENCES_SHOWN,
    )
    _lines(console, "Look at", [told(caution) for caution in forecast.cautions], CAUTIONS_SHOWN)


def _sources(forecast: Forecast) -> Table:
    table = Table(title="Messages", title_justify="left")
    compared = ["was"] if forecast.against else []
    for name in ("", "enter", "targeted", "sent", *compared, "not sent", "waiting"):
        table.add_column(name, justify="right" if name else "left")
    idle = [source.name for source in forecast.sources if not source.on and not source.targeted]
    for source in forecast.sources:
        if source.name not in idle:
            table.add_row(*_row(source, compared=bool(forecast.against)))
    table.caption = f"switched off: {', '.join(idle)}" if idle else None
    return table


def _row(source: Source, *, compared: bool) -> list[str]:
    cells = [source.targeted, source.sent_in_all, *([source.sent_before or 0] if compared else [])]
    cells += [sum(source.suppressed.values()), source.waiting]
    entered = f"{source.entered:,}" if source.kind == "scenario" else ""
    return [source.name, entered, *(f"{cell:,}" for cell in cells)]


def _reasons(forecast: Forecast) -> Table:
    table = Table("rule", title="Held back", title_justify="left")
    for name in ("held, then decided again", "not sent"):
        table.add_column(name, justify="right")
    held: Counter[str] = Counter()
    stopped: Counter[str] = Counter()
    for source in forecast.sources:
        held.update(source.held)
        stopped.update(source.suppressed)
    for reason in sorted(held.keys() | stopped.keys()):
        table.add_row(reason, f"{held[reason]:,}", f"{stopped[reason]:,}")
    return table


def _months(forecast: Forecast) -> Table:
    table = Table(title="Quota", title_justify="left")
    price = ["beyond the plan", "yen"] if forecast.priced else []
    for name in ("month", "sent before", "ahead", *price, "over"):
        table.add_column(name, justify="left" if name in ("month", "over") else "right")
    for month in forecast.months:
        cost = [f"{month.paid:,}", f"{month.yen:,.0f}"] if forecast.priced else []
        table.add_row(month.month, f"{month.before:,}", f"{month.ahead:,}", *cost, ", ".join(month.over))
    return table


def _segments(forecast: Forecast) -> Table:
    table = Table(title="Segments", title_justify="left")
    for name in ("", *(["was"] if forecast.against else []), "now", "at the end"):
        table.add_column(name, justify="right" if name else "left")
    telling = sorted(
        forecast.segments, key=lambda size: (size.old == size.new or size.old is None, -(size.new or 0))
    )
    if len(telling) > SEGMENTS_SHOWN:
        table.caption = (
            f"and {len(telling) - SEGMENTS_SHOWN} smaller ones (--html and --format json have them all)"
        )
    for size in telling[:SEGMENTS_SHOWN]:
        cells = [*([size.old] if forecast.against else []), size.new, size.after]
        table.add_row(size.name, *("—" if cell is None else f"{cell:,}" for cell in cells))
    return table


def _lines(console: Console, title: str, lines: list[str], shown: int) -> None:
    if not lines:
        return
    console.print(f"[bold]{title}[/bold]")
    for line in lines[:shown]:
        console.print(f"  {line}", markup=False, highlight=False)
    if len(lines) > shown:
        console.print(f"  … and {len(lines) - shown} more (--format json has them all)")
