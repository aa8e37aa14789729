"""What a report says, before it is a page, JSON or CSV: sections of figures, tables, charts and sentences.

All three forms are made from this, so that they cannot differ. Numbers are exact here; rounding is the page's business.
"""

import datetime as dt
from typing import Any, Literal

import msgspec

PeriodKind = Literal["daily", "weekly", "monthly"]
Unit = Literal["", "yen", "ratio", "count", "days", "text", "per_yen"]
Cell = str | float | int | None
Tone = Literal["", "good", "bad", "warn"]
ChartKind = Literal["stacked_days", "bars", "intervals", "heat", "steps", "lines"]


class Figure(msgspec.Struct, frozen=True):
    """One number with the same of the period before. `change`: value - previous, in the unit; `relative`: as a part of it.

    `better`: which way is good, empty where neither is. `note`: why there is no value.
    """

    id: str
    name: str
    unit: Unit
    value: float | None
    previous: float | None = None
    meaning: str = ""
    better: Literal["up", "down", ""] = ""
    note: str = ""

    @property
    def change(self) -> float | None:
        """How much more it is than before."""
        return None if self.value is None or self.previous is None else self.value - self.previous

    @property
    def relative(self) -> float | None:
        """The change as a part of what was before; None where that was nothing."""
        return self.change / abs(self.previous) if self.change is not None and self.previous else None


class Column(msgspec.Struct, frozen=True):
    """A column of a table. `id` is for scripts, `name` for people."""

    id: str
    name: str
    unit: Unit = "text"


class Figures(msgspec.Struct, frozen=True, tag="figures"):
    """Numbers side by side."""

    id: str
    figures: list[Figure]


class Table(msgspec.Struct, frozen=True, tag="table"):
    """Rows of cells. `coloured`: the first cell names a scenario or campaign, which has its colour everywhere.

    `empty`: what is said in place of no rows; `tones`: of each row, whether it is good or bad news.
    """

    id: str
    title: str
    columns: list[Column]
    rows: list[list[Cell]]
    empty: str
    note: str = ""
    coloured: bool = False
    tones: list[Tone] = []


class Chart(msgspec.Struct, frozen=True, tag="chart"):
    """A picture of rows (field → value); `told` says in a sentence what it shows. `empty`: in place of nothing to draw."""

    id: str
    title: str
    kind: ChartKind
    rows: list[dict[str, Any]]
    told: str
    empty: str
    unit: Unit = "count"


class Item(msgspec.Struct, frozen=True):
    """A sentence in a list: what, and beside it why, who and when, or what to do."""

    text: str
    more: list[str] = []
    tone: Tone = ""


class Items(msgspec.Struct, frozen=True, tag="items"):
    """Sentences. `empty`: what is said where there are none."""

    id: str
    title: str
    items: list[Item]
    empty: str


class Branch(msgspec.Struct, frozen=True):
    """A KPI in the tree, and what moves it."""

    figure: Figure
    moved_by: list["Branch"]


class Tree(msgspec.Struct, frozen=True, tag="tree"):
    """From business down to operation."""

    id: str
    title: str
    root: Branch
    note: str = ""


Block = Figures | Table | Chart | Items | Tree


class Section(msgspec.Struct, frozen=True):
    """A part of the report under a heading; `lead` says what to look at."""

    id: str
    title: str
    lead: str
    blocks: list[Block]


class Report(msgspec.Struct, frozen=True):
    """The whole. Days are local days of `zone`, both ends included; `previous_*`: the period compared with."""

    kind: PeriodKind
    title: str
    account: str
    zone: str
    first: dt.date
    last: dt.date
    previous_first: dt.date
    previous_last: dt.date
    made_at: dt.datetime
    measured_until: dt.date | None
    headline: list[Item]
    sections: list[Section]
    colours: dict[str, str]
    schema: int = 1
