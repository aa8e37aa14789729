"""The counting layer over real boto3 clients: known items cost known units."""

from collections.abc import Iterator
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from ops.bench import counting
from ops.bench.counting import Counter, Counts

REGION: Final = "ap-northeast-1"
KB = 1024


class Shop:
    """A table and a queue of moto's, and a counter over the clients that a test uses."""

    def __init__(self) -> None:
        self.dynamodb: Any = boto3.client("dynamodb", region_name=REGION)
        self.sqs: Any = boto3.client("sqs", region_name=REGION)
        self.dynamodb.create_table(
            TableName="gates",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        )
        self.queue = self.sqs.create_queue(QueueName="send")["QueueUrl"]
        self._counter = Counter(boto3.client("dynamodb", region_name=REGION))
        self.s3: Any = boto3.client("s3", region_name=REGION)
        self.s3.create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": REGION})
        for client in (self.dynamodb, self.sqs, self.s3):
            self._counter.watch(client)

    def put(self, key: str, size: int, **more: Any) -> None:
        """An item of exactly so many bytes."""
        body = "x" * (size - len("pk") - len(key) - len("body"))
        self.dynamodb.put_item(TableName="gates", Item={"pk": {"S": key}, "body": {"S": body}}, **more)

    def taken(self) -> Counts:
        """What was counted since the last time."""
        return self._counter.taken()


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        shop = Shop()
        for name, size in (("small", 1000), ("large", 5 * KB)):
            shop.put(name, size)
        shop.taken()
        yield shop


def key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}}


def writes(shop: Shop) -> float:
    return shop.taken().total("write_units")


def reads(shop: Shop) -> float:
    return shop.taken().total("read_units")


@pytest.mark.parametrize(("size", "units"), [(100, 1), (KB, 1), (KB + 1, 2), (8 * KB, 8)])
def test_a_put_costs_a_unit_for_each_started_kilobyte(shop: Shop, size: int, units: int) -> None:
    shop.put("new", size)
    counts = shop.taken()
    assert counts.total("write_units") == units
    assert counts.requests("dynamodb.PutItem") == 1


def test_a_put_over_a_larger_item_costs_what_the_larger_one_does(shop: Shop) -> None:
    shop.put("large", 100)
    assert writes(shop) == 5


def test_a_put_that_its_condition_refuses_costs_all_the_same(shop: Shop) -> None:
    with pytest.raises(ClientError):
        shop.put("large", 2 * KB, ConditionExpression="attribute_not_exists(pk)")
    assert writes(shop) == 5


def test_a_write_that_is_refused_for_itself_costs_nothing(shop: Shop) -> None:
    with pytest.raises(ClientError, match="exceeded the maximum allowed size"):
        shop.put("new", 500 * KB)
    assert writes(shop) == 0


def test_an_update_costs_by_the_item_and_not_by_what_it_changes(shop: Shop) -> None:
    more = {":more": {"S": "y"}}
    shop.dynamodb.update_item(
        TableName="gates", Key=key("large"), UpdateExpression="SET m = :more", ExpressionAttributeValues=more
    )
    assert writes(shop) == 6


def test_a_delete_costs_by_the_item_that_goes_and_one_unit_for_none(shop: Shop) -> None:
    shop.dynamodb.delete_item(TableName="gates", Key=key("large"))
    assert writes(shop) == 5
    shop.dynamodb.delete_item(TableName="gates", Key=key("large"))
    assert writes(shop) == 1


def test_a_batch_write_costs_item_by_item(shop: Shop) -> None:
    put = {"PutRequest": {"Item": {**key("new"), "body": {"S": "x" * 1500}}}}
    shop.dynamodb.batch_write_item(RequestItems={"gates": [put, {"DeleteRequest": {"Key": key("large")}}]})
    assert writes(shop) == 2 + 5


def test_a_transaction_costs_double(shop: Shop) -> None:
    put = {"Put": {"TableName": "gates", "Item": {**key("new"), "body": {"S": "x" * 1500}}}}
    shop.dynamodb.transact_write_items(
        TransactItems=[put, {"Delete": {"TableName": "gates", "Key": key("small")}}]
    )
    assert writes(shop) == 2 * (2 + 1)


def test_each_statement_of_a_batch_costs_as_the_write_that_it_is(shop: Shop) -> None:
    update = 'UPDATE "gates" SET body = ? WHERE pk = ?'
    statements = [
        {"Statement": update, "Parameters": [{"S": "x" * size}, {"S": name}]}
        for name, size in (("large", 100), ("small", 1500))
    ]
    answer = shop.dynamodb.batch_execute_statement(Statements=statements)
    assert not [one for one in answer["Responses"] if "Error" in one]
    assert writes(shop) == 5 + 2


def test_an_insert_puts_its_parameters() -> None:
    insert = {
        "Statement": "INSERT INTO \"gates\" VALUE {'pk': ?, 'body': ?}",
        "Parameters": [{"S": "new"}, {"S": "x" * 1500}],
    }
    params = {"Statements": [insert]}
    item = {"pk": {"S": "new"}, "body": {"S": "x" * 1500}}
    assert list(counting._targets("BatchExecuteStatement", params)) == [("gates", item)]
    assert counting._planned("BatchExecuteStatement", params, 0) == item


def test_a_consistent_read_costs_a_unit_for_each_started_four_kilobytes(shop: Shop) -> None:
    shop.dynamodb.get_item(TableName="gates", Key=key("large"), ConsistentRead=True)
    assert reads(shop) == 2
    shop.dynamodb.get_item(TableName="gates", Key=key("large"))
    assert reads(shop) == 1


def test_a_projection_saves_no_units(shop: Shop) -> None:
    shop.dynamodb.get_item(
        TableName="gates", Key=key("large"), ConsistentRead=True, ProjectionExpression="pk"
    )
    assert reads(shop) == 2


def test_a_batch_read_rounds_each_item_up_and_counts_the_missing(shop: Shop) -> None:
    keys = [key("small"), key("large"), key("nobody")]
    shop.dynamodb.batch_get_item(RequestItems={"gates": {"Keys": keys, "ConsistentRead": True}})
    assert reads(shop) == 1 + 2 + 1


def test_a_query_adds_up_before_it_rounds(shop: Shop) -> None:
    shop.dynamodb.scan(TableName="gates", ConsistentRead=True)
    assert reads(shop) == 2  # 1,000 and 5,120 bytes


def test_sqs_charges_a_request_for_each_started_64_kilobytes(shop: Shop) -> None:
    entries = [{"Id": str(n), "MessageBody": "x" * 30 * KB} for n in range(3)]
    shop.sqs.send_message_batch(QueueUrl=shop.queue, Entries=entries)
    counts = shop.taken()
    assert counts.requests("sqs.SendMessageBatch") == 1
    assert counts.total("charged", "sqs") == 2
    assert counts.total("request_bytes", "sqs") > 90 * KB


def test_bytes_are_those_on_the_wire(shop: Shop) -> None:
    shop.put("new", 700)
    counts = shop.taken()
    assert 700 < counts.total("request_bytes") < 1000


def test_objects_are_counted_with_their_bytes_and_kept_whole(shop: Shop) -> None:
    shop.s3.put_object(Bucket="shop", Key="sealed", Body=b"x" * 3000)
    answer = shop.s3.get_object(Bucket="shop", Key="sealed")
    counts = shop.taken()
    assert answer["Body"].read() == b"x" * 3000
    assert counts.requests("s3.PutObject") == counts.requests("s3.GetObject") == 1
    assert counts.total("request_bytes", "s3") >= 3000
    assert counts.total("response_bytes", "s3") == 3000
    assert counts.total("write_units") == 0
