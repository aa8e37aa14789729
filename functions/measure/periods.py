"""Days, and SQL with values in it."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

Literal = str | int | float | bool | dt.date | None
_PLACE = re.compile(r"\$([a-z_]+)\b")


def days_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Every day from the first to the last, both included; none where they are the other way round."""
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def newest(days: Iterable[dt.date]) -> list[dt.date]:
    """The last of the days alone; none of none."""
    return sorted(days)[-1:]


def literal(value: Literal) -> str:
    """A value as SQL writes it, in DuckDB and in Athena."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def bound(sql: str, values: Mapping[str, Literal]) -> str:
    """SQL with each `$name` replaced by the value as it is written. KeyError where there is none."""
    return _PLACE.sub(lambda place: literal(values[place[1]]), sql)


@cache
def text_of(name: str) -> str:
    """The SQL of a file of functions/measure/sql."""
    return (files("functions.measure") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def statement(name: str, values: Mapping[str, Literal]) -> str:
    """The SQL of a file with its values."""
    return bound(text_of(name), values)
