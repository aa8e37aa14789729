"""Counters of reactions: the fake and the adapter on moto."""

import datetime as dt

import pytest

from functions.aws.reactions import DynamoReactions
from functions.domain.breaker import Counts, day_of
from functions.ports.errors import Conflict
from tests.aws.conftest import Aws, Stores

NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
TODAY, YESTERDAY = day_of(NOW), day_of(NOW - DAY)
DAYS = [YESTERDAY, TODAY]


def test_what_nobody_counted_is_none(stores: Stores) -> None:
    assert stores.reactions.counts(["campaign:a"], DAYS) == {"campaign:a": Counts()}


def test_sends_are_counted_by_scope_and_day(stores: Stores) -> None:
    stores.reactions.count_sent({"campaign:a": 10, "segment:buyers": 10}, NOW)
    stores.reactions.count_sent({"campaign:a": 5}, NOW)
    stores.reactions.count_sent({"campaign:a": 100}, NOW - DAY)
    stores.reactions.count_sent({"campaign:a": 1_000}, NOW - 2 * DAY)
    stores.reactions.count_sent({}, NOW)
    counts = stores.reactions.counts(["campaign:a", "segment:buyers", "scenario:b"], DAYS)
    assert [counts[name].sent for name in ("campaign:a", "segment:buyers", "scenario:b")] == [115, 10, 0]
    assert stores.reactions.counts(["campaign:a"], [TODAY])["campaign:a"].sent == 15


def test_an_event_counts_once_for_all_that_it_counts_for(stores: Stores) -> None:
    sent = {"campaign:a": NOW, "segment:buyers": NOW, "scenario:b": NOW - DAY}
    assert stores.reactions.count_block("line:1", sent)
    assert not stores.reactions.count_block("line:1", sent)
    assert stores.reactions.count_block("line:2", {"campaign:a": NOW - DAY})
    counts = stores.reactions.counts(sent, DAYS)
    assert [counts[name].blocked for name in sent] == [2, 1, 1]
    assert stores.reactions.counts(["campaign:a"], [TODAY])["campaign:a"].blocked == 1


def test_what_is_forgiven_is_counted_no_more_and_what_comes_after_is(stores: Stores) -> None:
    stores.reactions.count_sent({"campaign:a": 100, "campaign:b": 7}, NOW)
    stores.reactions.count_sent({"campaign:a": 50}, NOW - DAY)
    stores.reactions.count_block("line:1", {"campaign:a": NOW, "campaign:b": NOW})
    for _ in range(2):
        stores.reactions.forgive("campaign:a", DAYS, NOW)
    counts = stores.reactions.counts(["campaign:a", "campaign:b"], DAYS)
    assert counts == {"campaign:a": Counts(0, 0, NOW), "campaign:b": Counts(7, 1)}
    stores.reactions.count_sent({"campaign:a": 3}, NOW)
    stores.reactions.count_block("line:2", {"campaign:a": NOW})
    assert stores.reactions.counts(["campaign:a"], DAYS)["campaign:a"] == Counts(3, 1, NOW)


def test_counters_are_kept_for_as_long_as_they_matter_and_touch_no_customer(aws: Aws) -> None:
    table = aws.tables()["gates"]
    reactions = DynamoReactions(aws.client("dynamodb"), table, "main")
    reactions.count_sent({"campaign:a": 1}, NOW)
    reactions.count_block("line:1", {"campaign:a": NOW})
    reactions.forgive("campaign:c", [TODAY], NOW)
    rows = aws.client("dynamodb").scan(TableName=table)["Items"]
    assert {row["pk"]["S"] for row in rows} == {
        "anon:#sent#main#2026-11-20",
        "anon:#blocked#main#2026-11-20",
        "anon:#reaction#main#line:1",
    }
    assert all(int(row["ttl"]["N"]) > dt.datetime.now(dt.UTC).timestamp() for row in rows)


class Busy:
    """A client whose every write meets another one's."""

    def __init__(self, client: object) -> None:
        self._client = client

    def __getattr__(self, name: str) -> object:
        return getattr(self._client, name)

    def update_item(self, **_arguments: object) -> None:
        error = {"Error": {"Code": "TransactionConflictException", "Message": ""}}
        raise self._client.exceptions.ClientError(error, "UpdateItem")  # type: ignore[attr-defined]

    def transact_write_items(self, **_arguments: object) -> None:
        error = {
            "Error": {"Code": "TransactionCanceledException", "Message": ""},
            "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
        }
        raise self._client.exceptions.TransactionCanceledException(error, "TransactWriteItems")  # type: ignore[attr-defined]


def test_a_send_that_cannot_be_counted_is_let_go_and_a_block_comes_again(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    reactions = DynamoReactions(Busy(aws.client("dynamodb")), aws.tables()["gates"], "main")  # type: ignore[arg-type]
    reactions.count_sent({"campaign:a": 1}, NOW)
    with pytest.raises(Conflict, match="contended"):
        reactions.count_block("line:1", {"campaign:a": NOW})
