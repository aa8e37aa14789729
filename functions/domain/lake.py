"""The tables of the lake: which columns each has, and where a day's rows stand.

A table is one Parquet file a day: `<home>/<name>/day=YYYY-MM-DD/part.parquet`. `day` is the account's local day of the
row's `at`; it stands in the key, not in the file, and every reader has it as a column of its own. Instants are UTC.
"""

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import groupby
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

FACTS = "facts/v1"
DERIVED = "derived/v1"
RAW = "facts/raw"
Home = Literal["facts/v1", "derived/v1"]
DAYS_ASKED_ONE_BY_ONE = 3


class Column(NamedTuple):
    """A column: DuckDB's type, whether it may be null, and what it says."""

    name: str
    type: str
    nullable: bool = False
    meaning: str = ""


class Table(NamedTuple):
    """A table. Of the rows of one partition no two have the same `key`; files are sorted by it."""

    name: str
    home: Home
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    meaning: str = ""

    @property
    def prefix(self) -> str:
        """Under which all partitions stand."""
        return f"{self.home}/{self.name}/"

    @property
    def raw_prefix(self) -> str:
        """Under which rows wait to be merged."""
        return f"{RAW}/{self.name}/"

    @property
    def names(self) -> list[str]:
        """The columns of the file, in order; `day` is none of them."""
        return [column.name for column in self.columns]

    @property
    def types(self) -> dict[str, str]:
        """DuckDB's type of each column."""
        return {column.name: column.type for column in self.columns}

    def partition(self, day: dt.date) -> str:
        """The key of a day's rows."""
        return f"{self.prefix}day={day.isoformat()}/part.parquet"

    def day_of(self, key: str) -> dt.date | None:
        """The day of a partition's key; None for any other key."""
        text, _, rest = key.removeprefix(f"{self.prefix}day=").partition("/")
        if rest != "part.parquet":
            return None
        return dt.date.fromisoformat(text)

    def listings(self, days: Iterable[dt.date]) -> list[str | dt.date]:
        """How to ask which of these days there are: a prefix to list for a month with several, else the day itself."""
        asked: list[str | dt.date] = []
        for (year, month), group in groupby(sorted(set(days)), key=lambda day: (day.year, day.month)):
            within = list(group)
            if len(within) <= DAYS_ASKED_ONE_BY_ONE:
                asked += within
            else:
                asked.append(f"{self.prefix}day={year:04}-{month:02}-")
        return asked


def table_of(row: type[msgspec.Struct], name: str, key: tuple[str, ...], home: Home = "facts/v1") -> Table:
    """The table whose rows are these structs: each field a column, its `Meta` description what it says."""
    hints = get_type_hints(row, include_extras=True)
    columns = tuple(_column(field.name, hints[field.name]) for field in msgspec.structs.fields(row))
    assert all(part in {column.name for column in columns} for part in key)
    return Table(name, home, key, columns, " ".join((row.__doc__ or "").split()))


def _column(name: str, hint: Any) -> Column:
    meaning = ""
    if get_origin(hint) is Annotated:
        hint, meta = get_args(hint)
        meaning = meta.description or ""
    nullable = get_origin(hint) in (Union, UnionType)
    if nullable:
        hint = next(one for one in get_args(hint) if one is not type(None))
    return Column(name, _TYPES[hint], nullable, meaning)


_TYPES: Mapping[Any, str] = {
    str: "VARCHAR",
    bool: "BOOLEAN",
    int: "BIGINT",
    float: "DOUBLE",
    dt.datetime: "TIMESTAMP",
    dt.date: "DATE",
    list[str]: "VARCHAR[]",
}


def days_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Both and all between; none where `last` comes first."""
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def month_of(day: dt.date) -> list[dt.date]:
    """All days of the month that `day` is in."""
    length = calendar.monthrange(day.year, day.month)[1]
    return [day.replace(day=number) for number in range(1, length + 1)]
