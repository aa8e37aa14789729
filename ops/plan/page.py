"""The forecast as a page that marketers read: one file, no network."""

from collections import Counter
from pathlib import Path

from jinja2 import Environment, select_autoescape

from ops.plan.forecast import Forecast
from ops.plan.svg import bars, colours_of, stacked_days
from ops.plan.words import (
    assumption_in_words,
    caution_in_words,
    difference_in_words,
    kind_in_words,
    reason_in_words,
)

HELD, STOPPED = "#f0a202", "#cf222e"
GRAVE = ("messages_max", "yen_max", "month_runs_out", "campaign_yen_max", "nobody_reachable")


def page_of(forecast: Forecast) -> str:
    """The whole page."""
    template = Environment(autoescape=select_autoescape(default=True)).from_string(
        (Path(__file__).parent / "plan.html.j2").read_text(encoding="utf-8")
    )
    names = [source.name for source in forecast.sources if source.targeted]
    colours = colours_of(names)
    return template.render(
        forecast=forecast,
        assumption=assumption_in_words(forecast),
        sent=sum(source.sent_in_all for source in forecast.sources),
        stopped=sum(sum(source.suppressed.values()) for source in forecast.sources),
        names=names,
        colours=colours,
        by_day=stacked_days(
            [day.date for day in forecast.days],
            {name: [day.sent.get(name, 0) for day in forecast.days] for name in names},
            colours,
        ),
        by_reason=_by_reason(forecast),
        cautions=[(caution.code in GRAVE, caution_in_words(caution)) for caution in forecast.cautions],
        kind=kind_in_words,
        reason=reason_in_words,
        differences=[(*difference_in_words(one), one.name, one.detail) for one in forecast.differences],
        held_colour=HELD,
        stopped_colour=STOPPED,
        largest=max([size.new or 0 for size in forecast.segments] + [1]),
    )


def _by_reason(forecast: Forecast) -> str:
    held: Counter[str] = Counter()
    stopped: Counter[str] = Counter()
    for source in forecast.sources:
        held.update(source.held)
        stopped.update(source.suppressed)
    reasons = sorted(held.keys() | stopped.keys(), key=lambda name: (-held[name] - stopped[name], name))
    return bars([(reason_in_words(name), [(HELD, held[name]), (STOPPED, stopped[name])]) for name in reasons])
