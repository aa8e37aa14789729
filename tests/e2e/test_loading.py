"""Files dropped on S3, on the engine: told by a notification, loaded under real rights, once, whoever dies midway."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from functions.aws.loads import S3Loads
from functions.domain.instants import format_instant
from functions.domain.loads import Load
from tests.e2e.conftest import Local
from tests.e2e.shop import Shop, wait_until

pytestmark = pytest.mark.e2e

ROWS = 12_000
CUSTOMERS = 40
HEADER = "customer_id,name,occurred_at,order_id,amount"


def drop(local: Local, key: str, body: bytes) -> None:
    local.target.client("s3").put_object(Bucket=local.target.output("Bucket"), Key=key, Body=body)


def read(local: Local, key: str) -> bytes:
    found = local.target.client("s3").get_object(Bucket=local.target.output("Bucket"), Key=key)
    body: bytes = found["Body"].read()
    return body


def load_of(shop: Shop, key: str) -> Load | None:
    return next((load for load in S3Loads(shop.stores.objects).all() if load.key == key), None)


def orders(shop: Shop, customer: str) -> int:
    known = shop.stores.customers.load(customer)
    tally = known.profile.tallies.get("orders") if known else None
    return tally.count if tally else 0


def test_a_file_is_loaded_with_its_errors_told_beside_it(local: Local, shop: Shop) -> None:
    customer, _ = shop.new_customer()
    at = format_instant(shop.clock.now)
    key = "incoming/shop/a day's orders_2026-11-01.csv"
    rows = f"{customer},purchase,{at},order-x1,4800\n{customer},purchase,{at},order-x2,many\n"
    drop(local, key, f"{HEADER}\n{rows}".encode())
    wait_until(lambda: bool((load := load_of(shop, key)) and load.state == "loaded"))
    shop.clock.settle()
    assert orders(shop, customer) == 1
    beside = key.replace("incoming/", "incoming-errors/")
    told = list(csv.DictReader(io.StringIO(read(local, f"{beside}.csv").decode("utf-8-sig"))))
    assert [(one["row"], one["column"], one["code"]) for one in told] == [("3", "amount", "wrong_type")]
    report = json.loads(read(local, f"{beside}.report.json"))
    assert (report["state"], report["taken"], report["rejected"]) == ("loaded", 1, 1)
    assert shop.stores.objects.keys("rejected/")


def test_parquet_is_read_by_the_bundle_that_has_it(local: Local, shop: Shop) -> None:
    customer, _ = shop.new_customer()
    rows = [
        {
            "customer_id": customer,
            "name": "purchase",
            "occurred_at": shop.clock.now,
            "order_id": f"p{n}",
            "amount": 100,
        }
        for n in range(3)
    ]
    into = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), into, compression="snappy")
    key = "incoming/shop/orders.parquet"
    drop(local, key, into.getvalue())
    wait_until(lambda: bool((load := load_of(shop, key)) and load.state == "loaded"))
    shop.clock.settle()
    assert orders(shop, customer) == 3


def test_a_worker_that_is_killed_midway_loses_nothing_and_doubles_nothing(local: Local, shop: Shop) -> None:
    sqs, url = local.target.client("sqs"), local.target.output("QueueLoadUrl")
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "6"})
    at, key = format_instant(shop.clock.now), "incoming/shop/history/many.csv"
    rows = (f"k{n % CUSTOMERS},purchase,{at},k-{n},100" for n in range(ROWS))
    try:
        drop(local, key, "\n".join((HEADER, *rows, "")).encode())
        wait_until(lambda: bool((load := load_of(shop, key)) and load.windows))
        killed = shop.kill_workers("load")
        load = load_of(shop, key)
        assert load is not None
        assert load.state == "loading", "it was killed too late to prove anything"
        wait_until(lambda: bool((load := load_of(shop, key)) and load.state == "loaded"), 120)
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)
    shop.clock.settle()
    load = load_of(shop, key)
    assert killed
    assert load is not None
    assert (load.rows, load.taken, load.rejected) == (ROWS, ROWS, 0)
    assert {orders(shop, f"k{n}") for n in range(CUSTOMERS)} == {ROWS // CUSTOMERS}
    drop(local, "incoming/shop/history/again.csv", read(local, key))
    wait_until(lambda: bool((load := load_of(shop, "incoming/shop/history/again.csv")) and load.same_as))
    shop.clock.settle()
    assert {orders(shop, f"k{n}") for n in range(CUSTOMERS)} == {ROWS // CUSTOMERS}


def test_what_is_put_on_the_bus_reaches_the_customer(local: Local, shop: Shop) -> None:
    customer, _ = shop.new_customer()
    event = {k: v for k, v in shop.purchase(customer).items() if k != "event_id"}
    answer = local.target.client("events").put_events(
        Entries=[
            {
                "EventBusName": local.target.output("BusName"),
                "Source": "crm",
                "DetailType": "MusubiEvents",
                "Detail": json.dumps({"events": [event, {**event, "name": "bought"}]}),
            }
        ]
    )
    assert answer["FailedEntryCount"] == 0
    wait_until(lambda: orders(shop, customer) == 1)
    shop.clock.settle()
    assert orders(shop, customer) == 1
