"""Segments: readable expressions over a customer's profile and time, as one small tree with several readings.

A tree is nested JSON lists, so that it lives in compiled playbooks:

- conditions: `["and", c, …]`, `["or", c, …]`, `["not", c]`, `["cmp", op, value, value]`, `["tagged", tag]`,
  `["indexed", alias, property, text]`, `["had", alias, [property, …], text]`,
  `["had_in", alias, [property, …], text, seconds]`, `["unfollowed", alias, other alias, seconds]`,
  `["month_of", date]`, `["linked"]`, `["blocked"]`, `["consented", purpose]`, `["segment", name]` (until it is
  inlined), `["const", true | false]`
- values: `["const", scalar]`, `["count", alias]`, `["sum", alias, property]`, `["count_in", alias, seconds]`,
  `["sum_in", alias, property, seconds]`, `["days_since" | "hours_since" | "minutes_since", time]`,
  `["days_until" | "days_until_anniversary", date]`, `["attribute", name]`, `["context", fact, key]`
- times: `["first_at" | "last_at", alias]`, `["last_with", alias, [property, …], text]`,
  `["instant", ["attribute", name]]`; dates: `["date", ["attribute", name]]`

A missing value makes a comparison false, `!=` too; so does a value of another type. Tags and indexed
properties are sets, never missing: `"x" not in tags` holds for somebody without tags.
"""

from functions.domain.segments.changes import compile_next_change, next_change
from functions.domain.segments.columns import Column, columns_of
from functions.domain.segments.evaluation import compile_predicate
from functions.domain.segments.inlining import inlined
from functions.domain.segments.parsing import parse
from functions.domain.segments.sql import quoted, sql_of
from functions.domain.segments.tree import (
    Names,
    SegmentError,
    Tree,
    names_of,
    reads_context,
    segment_hash,
    segments_in,
)

__all__ = [
    "Column",
    "Names",
    "Predicate",
    "SegmentError",
    "Tree",
    "columns_of",
    "compile_next_change",
    "compile_predicate",
    "inlined",
    "names_of",
    "next_change",
    "parse",
    "quoted",
    "reads_context",
    "segment_hash",
    "segments_in",
    "sql_of",
]
