"""Tree → SQL (DuckDB's): a condition over the columns of `columns_of`, for one instant.

SQL has three truth values and segments two. A missing value makes a comparison NULL, which `and` and `or` treat as our
false does; it becomes false where it could tell: under `not`, and at the end.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from functions.domain.context import EMPTY, Context, fact_value
from functions.domain.events import Scalar
from functions.domain.instants import Instant
from functions.domain.profiles import ZONE_DEFAULT
from functions.domain.segments.columns import KINDS, column_name, last_with_column, micros
from functions.domain.segments.dates import local_date
from functions.domain.segments.tree import Tree
from functions.domain.segments.values import MIRRORED, UNITS, age_above, age_at_least

_SIGNS = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_SECOND = 1_000_000
_MICROSECOND = dt.timedelta(microseconds=1)
Value = Mapping[str, str]
"""A value as SQL, by the kinds that it may be of; NULL where it is of another kind, or missing."""


class _Condition(NamedTuple):
    """A condition as SQL. `sure`: it is never NULL."""

    text: str
    sure: bool = False


def sql_of(tree: Tree, now: Instant, context: Context = EMPTY, zones: Iterable[str] = (ZONE_DEFAULT,)) -> str:
    """The inlined tree as a SQL expression that is true or false, never NULL.

    `zones`: all that occur in the column `zone`; their local dates are worked out here, so that no other calendar
    than Python's is asked. ValueError for what is no tree.
    """
    return _decided(_Writer(now, context, zones).condition(tree))


def quoted(name: str) -> str:
    """A column's name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Scalar) -> str:
    """A scalar as SQL."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        text = value.replace("'", "''").replace("\0", "' || chr(0) || '")
        return f"('{text}')"
    if isinstance(value, int) and abs(value) < 2**63:
        return f"({value})"
    written = repr(float(value))
    return f"({written})" if "e" in written else f"({written}e0)"


def _decided(condition: _Condition) -> str:
    return condition.text if condition.sure else f"coalesce({condition.text}, FALSE)"


def _kind(value: Scalar) -> str:
    return next(kind for kind, (_, types) in KINDS.items() if type(value) in types)


def _column(*parts: str) -> str:
    return quoted(column_name(*parts))


class _Writer:
    """Conditions and values for one instant."""

    def __init__(self, now: Instant, context: Context, zones: Iterable[str]) -> None:
        self._now = now
        self._micros = micros(now)
        self._context = context
        self._today = _today(now, zones)

    def condition(self, tree: Tree) -> _Condition:
        match tree:
            case ["and" | "or" as word, *parts]:
                conditions = [self.condition(part) for part in parts]
                text = f" {word.upper()} ".join(one.text for one in conditions)
                return _Condition(f"({text})", all(one.sure for one in conditions))
            case ["not", part]:
                return _Condition(f"(NOT {_decided(self.condition(part))})", sure=True)
            case ["const", bool() as answer]:
                return _Condition(literal(answer), sure=True)
            case ["cmp", sign, left, right]:
                return self._comparison(sign, left, right)
        return self._fact(tree)

    def _fact(self, tree: Tree) -> _Condition:
        match tree:
            case ["tagged", tag]:
                return _Condition(_column("tag", tag), sure=True)
            case ["consented", purpose]:
                return _Condition(_column("consent", purpose), sure=True)
            case ["linked"] | ["blocked"]:
                return _Condition(_column(tree[0]), sure=True)
            case ["indexed", alias, name, value]:
                return self._fact(["had", alias, [name], value])
            case ["had", alias, names, value]:
                last = quoted(last_with_column(alias, names, value))
                return _Condition(f"({last} IS NOT NULL)", sure=True)
            case ["had_in", alias, names, value, seconds]:
                last = quoted(last_with_column(alias, names, value))
                return _Condition(f"({last} > {self._ago(seconds)})")
            case ["unfollowed", alias, other, seconds]:
                last, follower = _column("last_at", alias), _column("last_at", other)
                unfollowed = f"({follower} IS NULL OR {follower} < {last})"
                return _Condition(f"({last} <= {self._ago(seconds)} AND {unfollowed})")
            case ["month_of", ["date", ["attribute", name]]]:
                return _Condition(f"(month({_column('date', name)}) = month({self._today}))")
        raise ValueError(f"{tree!r} is no condition of an inlined segment")

    def _ago(self, seconds: int) -> int:
        return self._micros - seconds * _SECOND

    def _comparison(self, sign: str, left: Tree, right: Tree) -> _Condition:
        if left[0] == "const" and right[0] != "const":
            return self._comparison(MIRRORED[sign], right, left)
        if left[0] in UNITS and right[0] == "const" and type(right[1]) in (int, float):
            return _Condition(self._age(sign, left, right[1]))
        one, other = self._value(left), self._value(right)
        compared = [
            f"{one[kind]} {_SIGNS[sign]} {other[kind]}"
            for kind in one
            if kind in other and (kind != "boolean" or sign in ("==", "!="))
        ]
        return _Condition(f"({' OR '.join(compared)})") if compared else _Condition("FALSE", sure=True)

    def _age(self, sign: str, age: Tree, number: float) -> str:
        """An age against a number, as an instant against its bounds: nothing is computed a row."""
        since, unit = self._value(age[1])["time"], UNITS[age[0]]
        reached = f"{since} <= {self._micros - age_at_least(number, unit) // _MICROSECOND}"
        passed = f"{since} <= {self._micros - age_above(number, unit) // _MICROSECOND}"
        texts = {
            ">=": reached,
            "<": f"NOT ({reached})",
            ">": passed,
            "<=": f"NOT ({passed})",
            "==": f"({reached}) AND NOT ({passed})",
            "!=": f"NOT ({reached}) OR ({passed})",
        }
        return f"({texts[sign]})"

    def _value(self, tree: Tree) -> Value:
        match tree:
            case ["const", value]:
                return {_kind(value): literal(value)}
            case ["attribute", name]:
                return {kind: _column("attribute", name, kind) for kind in KINDS}
            case ["context", name, key]:
                return self._context_fact(name, key)
            case ["instant", ["attribute", name]]:
                return {"time": _column("instant", name)}
            case ["first_at" | "last_at" as moment, alias]:
                return {"time": _column(moment, alias)}
            case ["last_with", alias, names, value]:
                return {"time": quoted(last_with_column(alias, names, value))}
        return {"number": self._number(tree)}

    def _number(self, tree: Tree) -> str:
        match tree:
            case ["count", alias]:
                return _column("count", alias)
            case ["sum", alias, name]:
                return _column("sum", alias, name)
            case ["count_in", alias, seconds]:
                return self._within(alias, f"> {self._ago(seconds)}")
            case ["sum_in", alias, name, seconds]:
                before = self._within(alias, f"<= {self._ago(seconds)}")
                sums = f"list_sum({_column('kept_sums', alias, name)}[{before} + 1:])"
                total = f"(coalesce({sums}, 0)::DOUBLE / {_SECOND}.0e0)"
                return f"CASE WHEN {_column('sum', alias, name)} IS NULL THEN NULL ELSE {total} END"
            case ["days_since" | "hours_since" | "minutes_since" as word, since]:
                return self._elapsed(self._value(since)["time"], UNITS[word] // _MICROSECOND)
            case ["days_until", ["date", ["attribute", name]]]:
                return f"({_column('date', name)} - {self._today})"
            case ["days_until_anniversary", ["date", ["attribute", name]]]:
                return self._until_anniversary(_column("date", name))
        raise ValueError(f"{tree!r} is no value of a segment")

    def _within(self, alias: str, compared: str) -> str:
        return f"len(list_filter({_column('kept_at', alias)}, lambda one: one {compared}))"

    def _elapsed(self, since: str, unit: int) -> str:
        """Whole units; SQL cuts towards zero where Python rounds down, so the remainder is taken away first."""
        age = f"({self._micros} - {since})"
        return f"(({age} - (({age} % {unit}) + {unit}) % {unit}) // {unit})"

    def _until_anniversary(self, date: str) -> str:
        def kept(year: str) -> str:
            month = f"make_date({year}, month({date}), 1)"
            return f"({month} + (least(day({date}), day(last_day({month}))) - 1)::INTEGER)"

        this, today = kept(f"year({self._today})"), self._today
        following = kept(f"least(year({today}) + 1, {dt.MAXYEAR})")
        ends = f"WHEN year({today}) < {dt.MAXYEAR} THEN {following} - {today}"
        return f"CASE WHEN {this} >= {today} THEN {this} - {today} {ends} END"

    def _context_fact(self, name: str, key: Tree) -> Value:
        facts = {at: fact_value(self._context, name, at, self._now) for at in self._context.get(name, {})}
        known = {at: value for at, value in facts.items() if value is not None}
        match key:
            case ["const", str(at)]:
                return {_kind(known[at]): literal(known[at])} if at in known else {}
            case ["attribute", attribute]:
                return _chosen(_column("attribute", attribute, "text"), known)
        return {}


def _chosen(key: str, known: Mapping[str, Scalar]) -> Value:
    """The value of the fact under the key of a row, by the kinds that the facts are of."""
    by_kind: dict[str, list[str]] = {}
    for at, value in sorted(known.items()):
        by_kind.setdefault(_kind(value), []).append(f"WHEN {literal(at)} THEN {literal(value)}")
    return {kind: f"CASE {key} {' '.join(cases)} END" for kind, cases in by_kind.items()}


def _today(now: Instant, zones: Iterable[str]) -> str:
    """The local date of a row's zone as SQL."""
    by_date: dict[dt.date | None, list[str]] = {}
    for zone in sorted({*zones}):
        by_date.setdefault(local_date(now, zone), []).append(literal(zone))
    cases = [f"WHEN zone IN ({', '.join(names)}) THEN {_date(date)}" for date, names in by_date.items()]
    return _date(next(iter(by_date))) if len(by_date) == 1 else f"(CASE {' '.join(cases)} END)"


def _date(date: dt.date | None) -> str:
    return f"DATE '{date.isoformat()}'" if date else "NULL::DATE"
