"""Rows of LINE's figures in the bucket, among the raw facts; and how far each day has come."""

import datetime as dt
import gzip
from collections.abc import Sequence

import msgspec

from functions.aws.objects import Objects
from functions.domain.facts import INSIGHT, Insight
from functions.domain.insight import Progress

PROGRESS = "insight"
_progress = msgspec.json.Decoder(Progress)


class S3InsightFacts:
    """`facts/raw/insight/<name>.jsonl.gz`, which `measure` takes from there; `insight/<day>.json`."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def progress(self, day: dt.date) -> tuple[Progress, str]:
        """How far the day has come; the tag is empty where it has not begun."""
        found = self._objects.read_tagged(f"{PROGRESS}/{day.isoformat()}.json")
        return (Progress(), "") if found is None else (_progress.decode(found[0]), found[1])

    def note(self, day: dt.date, progress: Progress, tag: str) -> str | None:
        """Write on condition that the word of this tag still stands, or (empty) that there is none; the new tag."""
        key, body = f"{PROGRESS}/{day.isoformat()}.json", msgspec.json.encode(progress)
        return (
            self._objects.write_over_tagged(key, body, tag)
            if tag
            else self._objects.write_new_tagged(key, body)
        )

    def keep(self, name: str, rows: Sequence[Insight]) -> None:
        """One line a row; the same rows are the same bytes."""
        lines = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
        self._objects.write(f"{INSIGHT.raw_prefix}{name}.jsonl.gz", gzip.compress(lines, mtime=0))
