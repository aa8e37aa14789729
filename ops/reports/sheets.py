"""A report as CSV: one line a number, whatever block it stands in, so that a spreadsheet can filter and pivot it."""

import csv
import io
from collections.abc import Iterator, Sequence

from ops.reports.content import Block, Cell, Chart, Figure, Figures, Items, Report, Table
from ops.reports.page import figures_in

HEADER = (
    "section",
    "block",
    "row",
    "figure",
    "name",
    "value",
    "unit",
    "previous",
    "change",
    "meaning",
)
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def sheet_of(report: Report) -> str:
    """The whole sheet, with the mark by which Excel knows UTF-8."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(HEADER)
    for section in report.sections:
        for block in section.blocks:
            writer.writerows([section.id, block.id, *map(_safe, row)] for row in _rows(block))
    return "\ufeff" + buffer.getvalue()


def _rows(block: Block) -> Iterator[Sequence[Cell]]:
    match block:
        case Table():
            for place, row in enumerate(block.rows):
                label = next((cell for cell in row if isinstance(cell, str) and cell), str(place + 1))
                for column, cell in zip(block.columns, row, strict=True):
                    yield (label, column.id, column.name, cell, column.unit, None, None, "")
        case Chart():
            yield from _chart_rows(block)
        case Items():
            for place, item in enumerate(block.items):
                yield (
                    str(place + 1),
                    "text",
                    block.title,
                    " ".join((item.text, *item.more)),
                    "text",
                    None,
                    None,
                    "",
                )
        case _:
            for one in figures_in(block):
                yield _figure_row(one)


def _figure_row(one: Figure) -> Sequence[Cell]:
    return ("", one.id, one.name, one.value, one.unit, one.previous, one.change, one.meaning)


def _chart_rows(block: Chart) -> Iterator[Sequence[Cell]]:
    for row in block.rows:
        label = " ".join(str(value) for value in row.values() if isinstance(value, str))
        for name, value in row.items():
            if isinstance(value, int | float):
                yield (label, name, block.title, value, block.unit, None, None, "")


def _safe(cell: Cell) -> Cell:
    """What a spreadsheet would take for a formula is text: names come from playbooks, which others write."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_DANGEROUS) else cell


__all__ = ["Figures", "sheet_of"]
