"""Charts as Vega-Lite says them, drawn beforehand as SVG for a desktop's width and a phone's: no script, nothing loaded."""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

import vl_convert
from markupsafe import Markup

from ops.reports.colours import BAD, FAINT, GOOD, INK, OTHERS, PLAIN
from ops.reports.content import Chart
from ops.reports.words import number

Spec = dict[str, Any]
WIDE, NARROW = 860, 330
"""Pixels of the whole picture: what fits on a sheet of A4 and a desktop's column, and on a phone."""
FONT = "Hiragino Sans, Noto Sans JP, Noto Sans CJK JP, Yu Gothic, Meiryo, sans-serif"
ROW = 46
IN_MYRIADS_FROM = 100_000
_NAMED = re.compile(r'\bid="([^"]+)"')
_CONFIG: Spec = {
    "background": None,
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": PLAIN,
        "labelFontSize": 12,
        "titleColor": PLAIN,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "domainColor": FAINT,
        "tickColor": FAINT,
        "gridColor": FAINT,
        "labelLimit": 400,
    },
    "legend": {
        "labelColor": INK,
        "labelFontSize": 12,
        "title": None,
        "symbolSize": 90,
        "rowPadding": 7,
        "labelLimit": 400,
    },
    "text": {"color": INK, "fontSize": 12},
    "locale": {"number": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", "円"]}},
}


def drawn(chart: Chart, colours: Mapping[str, str], prefix: str) -> Markup:
    """Both pictures of a chart; the page's style shows the one that fits. `prefix` keeps their ids apart."""
    spec = _SPECS[chart.kind]
    pictures = [
        f'<div class="{name}">{_svg(spec(chart, colours, width), f"{prefix}-{name}-")}</div>'
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    ]
    drawing = Markup("".join(pictures))  # noqa: S704 — Vega escapes what it writes
    return Markup('<div class="chart" role="img" aria-label="{}">{}</div>').format(
        f"{chart.title}。{chart.told}", drawing
    )


def _svg(spec: Spec, prefix: str) -> str:
    whole = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "config": _CONFIG,
        "padding": 4,
        **spec,
    }
    text: str = vl_convert.vegalite_to_svg(whole)
    for name in set(_NAMED.findall(text)):
        text = text.replace(f'id="{name}"', f'id="{prefix}{name}"').replace(f"#{name})", f"#{prefix}{name})")
    # Pictures stand within what names them already; and a reader is not to be read each tick.
    return text.replace("<svg ", '<svg aria-hidden="true" ', 1)


def _stacked_days(chart: Chart, colours: Mapping[str, str], width: int) -> Spec:
    totals: dict[str, float] = {}
    for row in chart.rows:
        totals[row["source"]] = totals.get(row["source"], 0) + row["value"]
    names = sorted(totals, key=lambda name: (name not in colours, -totals[name], name))
    is_wide = width == WIDE
    scale = {"domain": names, "range": [colours.get(name, OTHERS) for name in names]}
    order = {name: place for place, name in enumerate(names)}
    days = sorted({row["day"] for row in chart.rows})
    rows = [{**row, "order": order[row["source"]]} for row in chart.rows]
    return {
        "width": width - 52,
        "height": 240 if is_wide else 190,
        "data": {"values": rows},
        "mark": {"type": "bar", "width": {"band": 0.8}},
        "encoding": {
            "x": {
                "field": "day",
                "type": "ordinal",
                "scale": {"domain": _all_days(days[0], days[-1])},
                "axis": {
                    "title": None,
                    "labelAngle": 0,
                    "labelExpr": "split(datum.label, '-')[1] * 1 + '/' + split(datum.label, '-')[2] * 1",
                    "values": _every(_all_days(days[0], days[-1]), 14 if is_wide else 5),
                    "ticks": False,
                },
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "axis": {
                    "title": "通",
                    "titleAngle": 0,
                    "titleAlign": "left",
                    "titleY": -8,
                    "titleX": -30,
                    "tickCount": 4,
                    "format": ",d",
                    "domain": False,
                    "ticks": False,
                },
            },
            "color": {
                "field": "source",
                "type": "nominal",
                "scale": scale,
                "legend": {"orient": "top", "columns": 8 if is_wide else 2, "offset": 22},
            },
            "order": {"field": "order", "type": "quantitative"},
        },
    }


def _all_days(first: str, last: str) -> list[str]:
    begin, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return [(begin + dt.timedelta(days=one)).isoformat() for one in range((end - begin).days + 1)]


def _every(days: list[str], labels: int) -> list[str]:
    """At most so many of the days, evenly apart, the last one among them."""
    step = -(-len(days) // labels)
    return days[::-1][::step][::-1]


def _labelled_bars(rows: list[Spec], width: int, *, colour: Spec, most: float, least: float = 0.0) -> Spec:
    """A bar for each row under its own label, its number behind it: readable at any width, nothing to be cut off."""
    room = 96
    y = {"field": "row", "type": "ordinal", "axis": None, "scale": {"paddingInner": 0, "paddingOuter": 0}}
    x_scale = {"domain": [least, most], "nice": False}
    bar = {
        "mark": {"type": "bar", "height": 14, "yOffset": 9, "cornerRadiusEnd": 2},
        "encoding": {
            "x": {"field": "value", "type": "quantitative", "axis": None, "scale": x_scale},
            "y": y,
            "color": colour,
            **({"x2": {"field": "from"}} if any("from" in row for row in rows) else {}),
        },
    }
    label = {
        "mark": {"type": "text", "align": "left", "baseline": "middle", "yOffset": -9, "fontSize": 12.5},
        "encoding": {"x": {"value": 0}, "y": y, "text": {"field": "label"}},
    }
    value = {
        "mark": {
            "type": "text",
            "align": "left",
            "baseline": "middle",
            "dx": 6,
            "yOffset": 9,
            "fontWeight": 600,
        },
        "encoding": {
            "x": {"field": "end", "type": "quantitative", "scale": x_scale},
            "y": y,
            "text": {"field": "told"},
        },
    }
    return {
        "width": width - room - 8,
        "height": ROW * len(rows),
        "data": {"values": rows},
        "layer": [bar, label, value],
        "padding": {"left": 4, "right": room, "top": 4, "bottom": 4},
        "autosize": {"type": "none"},
    }


def _bars(chart: Chart, _colours: Mapping[str, str], width: int) -> Spec:
    rows = [
        {**row, "row": place, "end": row["value"], "told": number(row["value"], chart.unit)}
        for place, row in enumerate(chart.rows)
    ]
    most = max(row["value"] for row in rows)
    return _labelled_bars(rows, width, colour={"value": GOOD}, most=most)


def _steps(chart: Chart, _colours: Mapping[str, str], width: int) -> Spec:
    rows, level = [], 0.0
    for place, row in enumerate(chart.rows):
        is_total = row["role"] == "total"
        begin, end = (0.0, row["value"]) if is_total else (level, level + row["value"])
        level = end
        rows.append(
            {
                "row": place,
                "label": row["label"],
                "role": row["role"],
                "value": end,
                "from": begin,
                "end": max(begin, end),
                "told": number(row["value"], chart.unit),
            }
        )
    colour = {
        "field": "role",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": ["total", "cost"], "range": [GOOD, BAD]},
    }
    least = min(0.0, *(min(row["from"], row["value"]) for row in rows))
    most = max(max(row["from"], row["value"]) for row in rows)
    return _labelled_bars(rows, width, colour=colour, most=most or 1.0, least=least)


def _intervals(chart: Chart, colours: Mapping[str, str], width: int) -> Spec:
    is_wide = width == WIDE
    rows = [
        {**row, "row": place, "colour": colours.get(row["source"], INK)}
        for place, row in enumerate(chart.rows)
    ]
    reach = max(abs(bound) for row in rows for bound in (row["low"], row["high"])) * 1.05
    y: Spec = {"field": "row", "type": "ordinal", "axis": None}
    x: Spec = {
        "field": "low",
        "type": "quantitative",
        "scale": {"domain": [-reach, reach], "nice": False},
        "axis": {
            "title": "少ない ← 0 → 多い",
            "format": "+.1%",
            "tickCount": 5 if is_wide else 3,
            "grid": True,
        },
    }
    lined = {"color": {"field": "colour", "type": "nominal", "scale": None}}
    # On a phone a name and its numbers do not fit on one line.
    label, told, line = (-9, -9, 9) if is_wide else (-20, -4, 14)
    side = ("right", width - 40) if is_wide else ("left", 0)
    return {
        "width": width - 40,
        "height": (ROW if is_wide else ROW + 18) * len(rows),
        "padding": {"left": 20, "right": 20, "top": 4, "bottom": 4},
        "data": {"values": rows},
        "layer": [
            {
                "data": {"values": [{}]},
                "mark": {"type": "rule", "color": INK, "strokeWidth": 1},
                "encoding": {"x": {"datum": 0}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 3, "yOffset": line},
                "encoding": {"x": x, "x2": {"field": "high"}, "y": y, **lined},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 90, "yOffset": line, "opacity": 1},
                "encoding": {"x": {**x, "field": "difference"}, "y": y, **lined},
            },
            {
                "mark": {"type": "text", "align": "left", "yOffset": label, "fontSize": 12.5},
                "encoding": {"x": {"value": 0}, "y": y, "text": {"field": "label"}},
            },
            {
                "mark": {"type": "text", "align": side[0], "yOffset": told, "fontWeight": 600},
                "encoding": {"x": {"value": side[1]}, "y": y, "text": {"field": "told"}},
            },
        ],
    }


def _heat(chart: Chart, _colours: Mapping[str, str], width: int) -> Spec:
    is_wide = width == WIDE
    last = 12 if is_wide else 6
    rows = [
        {
            **row,
            "label": f"{row['cohort']}({number(row['customers'], 'count')}人)",
            "told": f"{row['rate'] * 100:.0f}",
        }
        for row in chart.rows
        if row["month"] <= last
    ]
    most = max([row["rate"] for row in rows] + [0.01])
    cohorts = sorted({row["cohort"] for row in rows})
    months = list(range(1, max(row["month"] for row in rows) + 1))
    label_room = 120 if is_wide else 104
    shared = _heat_axes(months)
    return {
        "width": width - label_room - 16,
        "height": 30 * len(cohorts),
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "rect", "stroke": "#fff", "strokeWidth": 2},
                "encoding": {
                    **shared,
                    "color": {
                        "field": "rate",
                        "type": "quantitative",
                        "legend": None,
                        "scale": {"domain": [0, most], "range": ["#eef4f9", "#0b5d96"]},
                    },
                },
            },
            {
                "mark": {"type": "text", "baseline": "middle"},
                "encoding": {
                    **shared,
                    "text": {"field": "told"},
                    "color": {
                        "condition": {"test": f"datum.rate > {most * 0.55}", "value": "#fff"},
                        "value": INK,
                    },
                },
            },
        ],
    }


def _heat_axes(months: list[int]) -> Spec:
    """A column a month, a row a cohort."""
    return {
        "x": {
            "field": "month",
            "type": "ordinal",
            "scale": {"domain": months},
            "axis": {
                "title": "初めて買った月から何か月後(数字は%)",
                "orient": "top",
                "labelAngle": 0,
                "ticks": False,
                "domain": False,
            },
        },
        "y": {
            "field": "label",
            "type": "ordinal",
            "sort": {"field": "cohort"},
            "axis": {"title": None, "ticks": False, "domain": False},
        },
    }


def _lines(chart: Chart, _colours: Mapping[str, str], width: int) -> Spec:
    is_wide = width == WIDE
    months = sorted({row["month"] for row in chart.rows})
    names = list(dict.fromkeys(row["source"] for row in chart.rows))
    most = max(row["value"] for row in chart.rows)
    size, unit = (10_000.0, "万円") if most >= IN_MYRIADS_FROM else (1.0, "円")
    rows = [{**row, "shown": row["value"] / size} for row in chart.rows]
    final = [{**row, "text": row["source"]} for row in rows if row["month"] == months[-1]]
    colour = {
        "field": "source",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": names, "range": [INK, GOOD, BAD][: len(names)]},
    }
    x = {
        "field": "month",
        "type": "ordinal",
        "scale": {"domain": months, "padding": 0.2},
        "axis": {
            "title": None,
            "labelAngle": 0,
            "labelExpr": "split(datum.label, '-')[1] * 1 + '月'",
            "labelOverlap": "greedy",
            "ticks": False,
        },
    }
    y = {
        "field": "shown",
        "type": "quantitative",
        "axis": {
            "title": unit,
            "titleAngle": 0,
            "titleAlign": "left",
            "titleY": -8,
            "titleX": -40,
            "tickCount": 4,
            "format": ",d",
            "domain": False,
            "ticks": False,
        },
    }
    return {
        "width": width - 110,
        "height": 230 if is_wide else 180,
        "padding": {"left": 4, "right": 44, "top": 18, "bottom": 4},
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "line", "strokeWidth": 2.5, "point": {"filled": True, "size": 40}},
                "encoding": {"x": x, "y": y, "color": colour},
            },
            {
                "data": {"values": final},
                "mark": {"type": "text", "align": "left", "dx": 8, "fontWeight": 600},
                "encoding": {"x": x, "y": y, "text": {"field": "text"}, "color": colour},
            },
        ],
    }


_SPECS: Mapping[str, Callable[[Chart, Mapping[str, str], int], Spec]] = {
    "stacked_days": _stacked_days,
    "bars": _bars,
    "steps": _steps,
    "intervals": _intervals,
    "heat": _heat,
    "lines": _lines,
}
