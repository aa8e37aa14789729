"""The plan's pictures: small SVG written by hand, so that its Japanese is the reader's own type and nothing is loaded."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

PALETTE = (
    "#1f6feb",
    "#06a77d",
    "#f0a202",
    "#8250df",
    "#d1495b",
    "#2e86ab",
    "#bf8700",
    "#57606a",
    "#e16f9d",
    "#4d8076",
)
WIDTH = 960
_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 300, 64, 12, 12, 34
_ROW, _LABEL, _NUMBER = 30, 230, 90
_TICKS = 5
_LABELS_MAX = 16


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name, the same all over the page."""
    return {name: PALETTE[number % len(PALETTE)] for number, name in enumerate(names)}


def stacked_days(
    days: Sequence[str], series: Mapping[str, Sequence[int]], colours: Mapping[str, str]
) -> Markup:
    """A bar for each day, in layers: `series` gives each name its numbers, a day each. Days are `2026-11-02`."""
    tops = [sum(values[number] for values in series.values()) for number in range(len(days))]
    scale = _round_up(max([*tops, 1]))
    height, width = _HEIGHT - _TOP - _BOTTOM, WIDTH - _LEFT - _RIGHT
    step = width / max(1, len(days))
    parts = [*_grid(scale, height), *_dates(days, step)]
    floors = [0] * len(days)
    for name, values in series.items():
        for number, value in enumerate(values):
            if value:
                y = _TOP + height * (1 - (floors[number] + value) / scale)
                parts.append(
                    _rect(_LEFT + number * step + step * 0.12, y, step * 0.76, height * value / scale, colours[name],
                          f"{days[number]} {name}: {value:,}")
                )  # fmt: skip
                floors[number] += value
    return _picture(_HEIGHT, parts)


def _round_up(number: int) -> int:
    """The next number that five equal steps of 1, 2 or 5 × 10ⁿ lead to."""
    size = 1
    while True:
        for lead in (1, 2, 5):
            if number <= lead * size * _TICKS:
                return lead * size * _TICKS
        size *= 10


def _grid(scale: int, height: float) -> list[Markup]:
    lines = []
    for tick in range(_TICKS + 1):
        y = _TOP + height * (1 - tick / _TICKS)
        lines.append(
            Markup('<line x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}" stroke="#d8dee4"/>').format(
                _LEFT, WIDTH - _RIGHT, y, y
            )
        )
        lines.append(_text(_LEFT - 8, y + 4, f"{scale * tick // _TICKS:,}", "end"))
    return lines


def _dates(days: Sequence[str], step: float) -> list[Markup]:
    every = -(-len(days) // _LABELS_MAX)
    return [
        _text(_LEFT + (number + 0.5) * step, _HEIGHT - 12, f"{int(day[5:7])}/{int(day[8:10])}", "middle")
        for number, day in enumerate(days)
        if number % every == 0
    ]


def bars(rows: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> Markup:
    """A line for each row: its label, and its (colour, number) pieces one after the other with their sum."""
    most = max([sum(number for _, number in pieces) for _, pieces in rows] + [1])
    room = WIDTH - _LABEL - _NUMBER
    parts = []
    for place, (label, pieces) in enumerate(rows):
        y, x = place * _ROW, float(_LABEL)
        parts.append(_text(_LABEL - 10, y + 20, label, "end"))
        for colour, number in pieces:
            parts.append(_rect(x, y + 5, room * number / most, _ROW - 10, colour, f"{label}: {number:,}"))
            x += room * number / most
        parts.append(_text(x + 8, y + 20, f"{sum(number for _, number in pieces):,}", "start"))
    return _picture(max(1, len(rows)) * _ROW, parts)


def _rect(x: float, y: float, width: float, height: float, colour: str, told: str) -> Markup:
    return Markup(
        '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="{}"><title>{}</title></rect>'
    ).format(x, y, width, height, colour, told)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _picture(height: float, parts: Sequence[Markup]) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" role="img" xmlns="http://www.w3.org/2000/svg">{}</svg>').format(
        WIDTH, height, Markup("").join(parts)
    )
