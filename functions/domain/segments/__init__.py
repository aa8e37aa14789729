"""Segments: readable expressions over a customer's profile and time, as one small tree with several readings.

A tree is nested JSON lists, so that it lives in compiled playbooks:

- conditions: `["and", c, …]`, `["or", c, …]`, `["not", c]`, `["cmp", op, value, value]`, `["tagged", tag]`,
  `["indexed", alias, property, text]`, `["segment", name]` (until it is inlined), `["const", true | false]`
- values: `["const", scalar]`, `["count", alias]`, `["first_at", alias]`, `["last_at", alias]`,
  `["sum", alias, property]`, `["days_since", time]`, `["attribute", name]`, `["instant", ["attribute", name]]`

A missing value makes a comparison false, `!=` too; so does a value of another type. Tags and indexed
properties are sets, never missing: `"x" not in tags` holds for somebody without tags.
"""

from functions.domain.segments.changes import compile_next_change, next_change
from functions.domain.segments.evaluation import Predicate, compile_predicate
from functions.domain.segments.inlining import inlined
from functions.domain.segments.parsing import parse
from functions.domain.segments.tree import Names, SegmentError, Tree, names_of, segment_hash, segments_in

__all__ = [
    "Names",
    "Predicate",
    "SegmentError",
    "Tree",
    "compile_next_change",
    "compile_predicate",
    "inlined",
    "names_of",
    "next_change",
    "parse",
    "segment_hash",
    "segments_in",
]
