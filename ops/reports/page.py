"""A report as one page: no script, nothing from outside, so that it can be mailed, printed and kept."""

from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from ops.reports.charts import drawn
from ops.reports.content import Block, Chart, Figure, Figures, Report, Tree
from ops.reports.words import AGAINST, changed, number, span_in_words

_TEMPLATES = Path(__file__).parent


def page_of(report: Report) -> str:
    """The whole page."""
    environment = Environment(
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.from_string((_TEMPLATES / "report.html.j2").read_text(encoding="utf-8"))
    return template.render(
        report=report,
        period=span_in_words(report.first, report.last),
        previous=span_in_words(report.previous_first, report.previous_last),
        against=AGAINST[report.kind],
        style=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 — a file of ours
        told=_with_code,
        chart=lambda section, chart: _picture(report, section, chart),
        number=number,
        changed=changed,
        trend=trend_of,
        definitions=_definitions(report),
    )


def _with_code(text: str) -> Markup:
    """A sentence with its commands (between backticks) as such."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def trend_of(figure: Figure) -> str:
    """Whether a change is good news: the class of its mark."""
    if not figure.change or not figure.better:
        return "even"
    return "good" if (figure.change > 0) == (figure.better == "up") else "bad"


def _picture(report: Report, section: str, chart: Chart) -> Markup:
    return drawn(chart, report.colours, f"{section}-{chart.id}") if chart.rows else Markup("")


def _definitions(report: Report) -> list[Figure]:
    """Every figure of the page once, by its name."""
    found: dict[str, Figure] = {}
    for section in report.sections:
        for block in section.blocks:
            found |= {one.id: one for one in figures_in(block) if one.meaning}
    return sorted(found.values(), key=lambda one: one.name)


def figures_in(block: Block) -> Iterator[Figure]:
    """The figures of a block."""
    if isinstance(block, Figures):
        yield from block.figures
    elif isinstance(block, Tree):
        waiting = [block.root]
        while waiting:
            branch = waiting.pop()
            yield branch.figure
            waiting += branch.moved_by
