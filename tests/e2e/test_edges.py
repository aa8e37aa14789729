"""What comes in wrong gets the clear answer that it deserves."""

import json

import pytest

from functions.webhook.flow import signature_of
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e


def test_a_wrong_signature_is_401_and_nothing_is_processed(shop: Shop) -> None:
    _, user = shop.new_customer()
    body = json.dumps(
        {"destination": "U" + "0" * 32, "events": [{"type": "follow", "source": {"userId": user}}]}
    ).encode()
    assert shop.post_webhook(body, "bm9wZQ==").status == 401
    shop.clock.settle()
    assert shop.copies(user) == 0


def test_a_signed_body_that_is_no_json_is_400(shop: Shop) -> None:
    body = b"{no json"
    assert shop.post_webhook(body, signature_of(shop.record["channel_secret"], body)).status == 400


def test_the_connectivity_check_is_200(shop: Shop) -> None:
    body = json.dumps({"destination": "U" + "0" * 32, "events": []}).encode()
    assert shop.post_webhook(body, signature_of(shop.record["channel_secret"], body)).status == 200


def test_a_webhook_over_a_megabyte_is_413(shop: Shop) -> None:
    body = b" " * (1024 * 1024 + 1)
    assert shop.post_webhook(body, signature_of(shop.record["channel_secret"], body)).status == 413


def test_a_wrong_ingest_key_is_401(shop: Shop) -> None:
    assert shop.post_raw({"events": []}, key="wrong").status == 401


@pytest.mark.parametrize("body", [b"{no json", b"[]", b'{"events": 1}'])
def test_a_body_that_is_no_list_of_events_is_400(shop: Shop, body: bytes) -> None:
    assert shop.post_raw(body).status == 400


def test_501_events_are_413(shop: Shop) -> None:
    customer, _ = shop.new_customer()
    answer = shop.post_raw({"events": [shop.purchase(customer) for _ in range(501)]})
    assert answer.status == 413
    assert "500" in answer.json()["message"]


def test_bad_events_are_named_one_by_one_and_the_good_ones_go_in(shop: Shop) -> None:
    customer, _ = shop.new_customer()
    unknown = shop.event(customer, "teleported")
    wrong_type = shop.event(customer, "purchase", order_id="o", amount="a lot")
    missing = shop.event(customer, "purchase", amount=1)
    answer = shop.post(unknown, shop.purchase(customer), wrong_type, missing)
    assert answer["accepted"] == 1
    assert [(fault["index"], fault["code"]) for fault in answer["rejected"]] == [
        (0, "unknown_event"),
        (2, "wrong_type"),
        (3, "missing_property"),
    ]
    shop.clock.settle()
    assert shop.card(customer)["segments"]


def test_rejected_events_are_kept_for_repair(shop: Shop) -> None:
    customer, _ = shop.new_customer()
    event = shop.event(customer, "teleported", event_id="kept-for-repair")
    shop.post(event)
    s3, bucket = shop.stores.target.client("s3"), shop.stores.settings.bucket
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="rejected/").get("Contents", [])]
    kept = [json.loads(shop.stores.objects.read(key) or b"{}") for key in keys]
    assert event in [fault["event"] for one in kept for fault in one["rejected"]]
