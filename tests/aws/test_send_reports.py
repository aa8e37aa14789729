"""The send log read for reports: in parallel, by text, and key by key, with nothing that a batch leaves unread lost."""

import datetime as dt
from typing import Any

import pytest

from functions.aws.parallel_scans import scanned
from functions.aws.send_log import DynamoSends
from functions.aws.send_reports import SendReports, field_text, log_key
from functions.ports.errors import Retryable
from tests.aws.conftest import Aws
from tests.aws.samples import NOW, intent, record

PEOPLE = 250


class Log:
    """A send log with one message for each of many, the first five of them unknown."""

    def __init__(self, aws: Aws) -> None:
        self.client, self.table = aws.client("dynamodb"), aws.tables()["sends"]
        sends = DynamoSends(self.client, self.table)
        for number in range(PEOPLE):
            sends.record_all([record(status="unknown" if number < 5 else "sent", customer_id=f"c{number}")])
        self.reports = SendReports(self.client, self.table)


@pytest.fixture(scope="module")
def log(aws: Aws) -> Log:
    return Log(aws)


def test_a_scan_finds_every_record_once(log: Log) -> None:
    found = sorted(record.customer_id for record in log.reports.scan())
    assert found == sorted(f"c{number}" for number in range(PEOPLE))


def test_a_scan_goes_on_behind_each_page(log: Log) -> None:
    items = list(scanned(log.client, log.table, segments=3, Limit=7))
    assert len({item["pk"]["S"] for item in items}) == len(items) == PEOPLE


def test_a_scan_by_texts_leaves_what_has_any_of_them(log: Log) -> None:
    found = log.reports.scan(field_text("status", "unknown"), field_text("customer_id", "c77"))
    assert {record.customer_id for record in found} == {"c0", "c1", "c2", "c3", "c4", "c77"}
    assert not list(log.reports.scan(field_text("campaign", "winter")))


def test_records_are_read_at_their_keys(log: Log) -> None:
    name = intent().send_id
    keys = [log_key(f"c{number}", NOW, name) for number in range(PEOPLE + 100)]
    assert {record.customer_id for record in log.reports.at(keys)} == {f"c{n}" for n in range(PEOPLE)}
    assert not list(log.reports.at([log_key("c1", NOW + dt.timedelta(seconds=1), name)]))


class _Sized:
    """DynamoDB that knows the size of a table: 250 records of about a kilobyte."""

    def describe_table(self, **_: str) -> Any:
        return {"Table": {"TableSizeBytes": PEOPLE * 1000}}


def test_a_scan_is_dearer_than_few_keys_and_cheaper_than_many() -> None:
    reports = SendReports(_Sized(), "sends")  # type: ignore[arg-type]
    assert reports.is_dearer_than(60)
    assert not reports.is_dearer_than(62)


class _Halves:
    """DynamoDB that answers for one key at a time and leaves the rest unread."""

    def __init__(self, client: Any, *, never: bool = False) -> None:
        self._client, self._never = client, never

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803 (boto3's name)
        ((table, wanted),) = RequestItems.items()
        if self._never:
            return {"Responses": {}, "UnprocessedKeys": RequestItems}
        first, *rest = wanted["Keys"]
        answer = self._client.batch_get_item(RequestItems={table: {"Keys": [first]}})
        return {**answer, "UnprocessedKeys": {table: {"Keys": rest}} if rest else {}}


def test_what_a_batch_leaves_unread_is_asked_for_again(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.aws.send_reports.time.sleep", lambda _: None)
    keys = [log_key(f"c{number}", NOW, intent().send_id) for number in range(6)]
    found = SendReports(_Halves(log.client), log.table).at(keys)  # type: ignore[arg-type]
    assert len(list(found)) == 6


def test_a_table_that_never_answers_is_no_empty_log(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.aws.send_reports.time.sleep", lambda _: None)
    reports = SendReports(_Halves(log.client, never=True), log.table)  # type: ignore[arg-type]
    with pytest.raises(Retryable):
        list(reports.at([log_key("c1", NOW, intent().send_id)]))
