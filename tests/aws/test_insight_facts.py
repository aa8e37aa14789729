"""Rows of LINE's figures in the bucket, and how far a day has come: held by what is there, not by who asks."""

import datetime as dt
import gzip
import json

import pytest

from functions.aws.insight_facts import S3InsightFacts
from functions.aws.objects import Objects
from functions.domain.aggregation_units import Unit
from functions.domain.facts import INSIGHT
from functions.domain.insight import Figures, Progress, row_of
from tests.aws.conftest import Aws

NOW = dt.datetime(2026, 11, 26, 3, 40, tzinfo=dt.UTC)
DAY = NOW.date()


@pytest.fixture
def objects(aws: Aws) -> Objects:
    return aws.objects()


def test_a_days_progress_is_written_by_one_worker_alone(objects: Objects) -> None:
    one, other = S3InsightFacts(objects), S3InsightFacts(objects)
    assert one.progress(DAY) == (Progress(), "")
    tag = one.note(DAY, Progress(calls={"h": 10}), "")
    assert tag
    assert other.note(DAY, Progress(calls={"h": 20}), "") is None
    assert other.progress(DAY) == (Progress(calls={"h": 10}), tag)
    assert other.note(DAY, Progress(done=["u"]), tag)
    assert one.note(DAY, Progress(), tag) is None
    assert one.progress(DAY)[0] == Progress(done=["u"])


def test_rows_are_lines_among_the_raw_facts_the_same_bytes_each_time(objects: Objects) -> None:
    facts = S3InsightFacts(objects)
    unit = Unit("m202611_a", NOW, scenario="path", step="s", variant="b")
    facts.keep("2026-11-26-a", [row_of(unit, Figures(30, None), DAY, NOW)])
    body = objects.read(f"{INSIGHT.raw_prefix}2026-11-26-a.jsonl.gz")
    assert body is not None
    facts.keep("2026-11-26-a", [row_of(unit, Figures(30, None), DAY, NOW)])
    assert objects.read(f"{INSIGHT.raw_prefix}2026-11-26-a.jsonl.gz") == body
    (line,) = gzip.decompress(body).splitlines()
    row = json.loads(line)
    assert list(row) == INSIGHT.names
    assert (row["opened"], row["clicked"], row["delivered"]) == (30, None, None)
