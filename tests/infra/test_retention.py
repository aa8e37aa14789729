"""What is kept how long: docs/operations.md has a line for all that the template keeps, and the days are the template's."""

import re
from pathlib import Path
from typing import Any

from functions.aws import link_attempts, once, reactions
from functions.domain.gate import CLOSED_CASES_KEPT, CONTACTS_KEPT
from functions.domain.links import KEEPSAKES_KEPT
from infra.tables import SHAPES
from ops.erasing.keeping import OPEN, PROOFS
from ops.erasing.rows import TABLES
from tests.infra.conftest import Template
from tests.infra.test_stack import as_list, resources, statements

DAY_SECONDS = 86_400


def told() -> dict[str, str]:
    """The lines of the tables of *Retention*: what is kept → how long, as they are written."""
    text = Path("docs/operations.md").read_text(encoding="utf-8")
    section = text.split("\n## Retention\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    return {row[0]: row[1] for row in rows}


def lines_of(word: str) -> list[str]:
    """How long, in each line that is about this, in code."""
    return [kept for what, kept in told().items() if f"`{word}`" in what]


def prefixes_of(template: Template) -> set[str]:
    """The first folder of every key that a function may touch, or that a rule of the bucket is about."""
    resources_named = re.findall(
        r'"/([a-z-]+)/', str([s["Resource"] for s in statements(template)]).replace("'", '"')
    )
    ruled = [rule["Prefix"].split("/")[0] for rule in rules(template) if "Prefix" in rule]
    own = {OPEN.split("/")[0], PROOFS.split("/")[0]}
    return {*resources_named, *ruled} | own


def rules(template: Template) -> list[dict[str, Any]]:
    (bucket,) = resources(template, "AWS::S3::Bucket").values()
    return list(bucket["LifecycleConfiguration"]["Rules"])


def test_every_table_has_its_lines(template: Template) -> None:
    tables = resources(template, "AWS::DynamoDB::Table")
    assert len(tables) == len(SHAPES)
    assert {shape.name for shape in SHAPES} == set(TABLES)
    assert [shape.name for shape in SHAPES if not lines_of(shape.name)] == []
    for table in tables.values():
        assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}


def test_every_prefix_of_the_bucket_has_a_line(template: Template) -> None:
    found = prefixes_of(template)
    assert {"playbooks", "rejected", "runs", "facts", "failures", "erasures"} <= found
    assert sorted(prefix for prefix in found if not lines_of(f"{prefix}/")) == []


def test_the_days_of_each_prefix_are_those_of_its_rule(template: Template) -> None:
    ends = {
        rule["Prefix"].split("/")[0]: rule["ExpirationInDays"]
        for rule in rules(template)
        if "ExpirationInDays" in rule
    }
    assert ends["rejected"] == 400
    for prefix in prefixes_of(template):
        (line,) = lines_of(f"{prefix}/")
        days = re.match(r"(\d+) days", line)
        assert (int(days[1]) if days else None) == ends.get(prefix), prefix
        assert days or line.startswith("for good"), prefix


def test_old_versions_and_unended_uploads_go(template: Template) -> None:
    everywhere = [rule for rule in rules(template) if "Prefix" not in rule]
    assert [rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in everywhere] == [30]
    assert [rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] for rule in everywhere] == [1]


def test_what_ends_by_itself_ends_when_the_lines_say(template: Template) -> None:
    days = (
        KEEPSAKES_KEPT.days,
        link_attempts.KEPT_SECONDS // DAY_SECONDS,
        reactions.KEPT_SECONDS // DAY_SECONDS,
    )
    for word, number in zip(("tie", "attempt#", "anon:#reaction…"), days, strict=True):
        assert lines_of(word) == [f"{number} days"], word
    assert once.KEPT_SECONDS == DAY_SECONDS
    (gates,) = [kept for what, kept in told().items() if what == "`gates`: customers'"]
    assert f"contacts {CONTACTS_KEPT.days} days" in gates
    assert f"closed cases {CLOSED_CASES_KEPT.days} days" in gates


def test_every_log_group_and_queue_ends_what_it_keeps_when_the_lines_say(template: Template) -> None:
    groups = resources(template, "AWS::Logs::LogGroup")
    (logs,) = [kept for what, kept in told().items() if what.startswith("log groups")]
    assert {f"{group.get('RetentionInDays')} days" for group in groups.values()} == {logs.split(",")[0]}
    known = {
        re.sub(r"^Queues|[0-9A-F]{8}$", "", name): one
        for name, one in resources(template, "AWS::SQS::Queue").items()
    }
    for name, queue in known.items():
        dead = name.endswith("Dead")
        (line,) = lines_of("…Dead" if dead else name)
        assert line.startswith(f"{queue['MessageRetentionPeriod'] // DAY_SECONDS} days"), name
    working = next(what for what in told() if what.startswith("queues"))
    assert {name for name in known if not name.endswith("Dead")} == set(re.findall(r"`(\w+)`", working))


def test_nobody_may_read_more_of_what_was_rejected_than_that_it_waits(template: Template) -> None:
    listing = [one for one in statements(template) if "rejected/*" in str(one.get("Condition", ""))]
    assert [as_list(one["Action"]) for one in listing] == [["s3:ListBucket"]]
