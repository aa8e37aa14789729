"""The run as a page: rate, backlog and memory by time, drawn by hand as the plan's pictures are."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from markupsafe import Markup

from ops.plan.svg import PALETTE
from ops.soak.steady.outcome import GROWING, Outcome

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960, 240, 64, 120, 12, 30
TICKS = 4
LABEL_HEIGHT = 15
Series = Mapping[str, Sequence[tuple[float, float]]]


def page_of(outcome: Outcome) -> str:
    """One page that needs nothing beside it."""
    samples = outcome.samples
    functions = sorted({name for one in samples for name in one.memory_mb} - set(GROWING))
    memory = {
        name: [(s.at_seconds, s.memory_mb[name]) for s in samples if name in s.memory_mb]
        for name in functions
    }
    kept = {
        name: [(s.at_seconds, s.memory_mb[name]) for s in samples if name in s.memory_mb] for name in GROWING
    }
    backlog = {
        name.lower(): [(s.at_seconds, float(s.queues[name])) for s in samples]
        for name in (samples[0].queues if samples else {})
        if any(s.queues[name] for s in samples)
    }
    pictures = (
        ("Events taken in, a second", {"rate": _rates(outcome)}),
        ("Messages in the queues", backlog),
        (
            "Seconds from the request until the event is stored",
            {"lag": [(s.at_seconds, s.lag_seconds) for s in samples]},
        ),
        ("Memory of each function's largest worker, MB", memory),
        ("Memory of what keeps what it is told, MB", kept),
    )
    amiss = outcome.amiss
    verdict = "All is as it must be." if not amiss else "Not as it must be: " + "; ".join(amiss) + "."
    offered = outcome.offered
    told = (
        f"{offered.events:,} events in {outcome.minutes:g} minutes, {offered.events_per_second:g} a second wanted; "
        f"{outcome.virtual_hours:.0f} hours of virtual time. The first third is the warm-up."
    )
    body = Markup("").join(
        Markup("<h2>{}</h2>{}").format(title, lines(series, outcome.minutes * 60))
        for title, series in pictures
    )
    return str(_PAGE.format(verdict=verdict, told=told, body=body))


def _rates(outcome: Outcome) -> list[tuple[float, float]]:
    """Of the seconds between one sample and the next, while there was load."""
    samples = [one for one in outcome.samples if one.at_seconds <= outcome.minutes * 60]
    pairs = pairwise(samples)
    return [
        (after.at_seconds, (after.events - before.events) / max(after.at_seconds - before.at_seconds, 0.1))
        for before, after in pairs
    ]


def lines(series: Series, seconds: float) -> Markup:
    """A line for each name over the seconds of the run, its name at its end."""
    most = max((value for points in series.values() for _, value in points), default=0) or 1
    top = _round_up(most)
    parts = [*_grid(top, seconds)]
    ends = []
    for number, (name, points) in enumerate(series.items()):
        if not points:
            continue
        colour = PALETTE[number % len(PALETTE)]
        path = " ".join(f"{_x(at, seconds):.1f},{_y(value, top):.1f}" for at, value in points)
        parts.append(
            Markup(
                '<polyline points="{}" fill="none" stroke="{}" stroke-width="1.5"><title>{}</title></polyline>'
            ).format(path, colour, name)
        )
        ends.append((_y(points[-1][1], top), f"{name} {points[-1][1]:,.4g}", colour))
    free = 0.0
    for y, label, colour in sorted(ends):
        at = max(y, free)
        free = at + LABEL_HEIGHT
        parts.append(
            Markup('<text x="{}" y="{:.1f}" fill="{}">{}</text>').format(
                WIDTH - RIGHT + 8, at + 4, colour, label
            )
        )
    height = max(HEIGHT, free + BOTTOM)
    return Markup(
        '<svg viewBox="0 0 {} {:.0f}" role="img" xmlns="http://www.w3.org/2000/svg">{}</svg>'
    ).format(WIDTH, height, Markup("").join(parts))


def _x(at: float, seconds: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * min(at / max(seconds, 1), 1)


def _y(value: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top)


def _round_up(number: float) -> float:
    """The next of 1, 2, 2.5 or 5 × 10ⁿ × the number of steps."""
    size = 0.001
    while True:
        for lead in (1, 2, 2.5, 5):
            if number <= lead * size * TICKS:
                return lead * size * TICKS
        size *= 10


def _grid(top: float, seconds: float) -> list[Markup]:
    line = Markup('<line x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}" stroke="{}"/>')
    text = Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" fill="#57606a">{}</text>')
    parts = []
    for tick in range(TICKS + 1):
        y = _y(top * tick / TICKS, top)
        parts += [
            line.format(LEFT, WIDTH - RIGHT, y, y, "#d8dee4"),
            text.format(LEFT - 8, y + 4, "end", f"{top * tick / TICKS:,.4g}"),
        ]
    for part in range(7):
        at = seconds * part / 6
        parts.append(text.format(_x(at, seconds), HEIGHT - 10, "middle", f"{at / 60:.3g} min"))
    for third in (1, 2):
        x = _x(seconds * third / 3, seconds)
        parts.append(line.format(x, x, TOP, HEIGHT - BOTTOM, "#afb8c1"))
    return parts


_PAGE = Markup(
    """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>The steady soak</title>
<style>body{{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem;color:#24292f}}
svg{{width:100%;height:auto;font-size:12px}}h2{{font-size:1rem;margin:1.5rem 0 .25rem}}</style>
<h1>The steady soak</h1><p><strong>{verdict}</strong></p><p>{told}</p>
{body}
</html>
"""
)
