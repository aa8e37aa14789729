"""Personal data never reaches a log. Runs last in this folder: by now every function has logged what it has to say."""

from collections.abc import Iterator

import pytest

from tests.e2e.shop import Shop, wait_until
from tests.e2e.test_main_job import next_local

pytestmark = pytest.mark.e2e


def log_lines(shop: Shop) -> Iterator[str]:
    """Every line that any function of this deployment has logged, page by page."""
    logs = shop.stores.target.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        yield from (event["message"] for page in pages for event in page["events"])


def test_no_log_names_a_customer_a_line_user_or_what_they_wrote(shop: Shop) -> None:
    next_local(shop, 11)
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    shop.line.message(user, "電話番号は090-1234-5678です")
    shop.post(shop.event(customer, "teleported", note="jane@example.com"), shop.purchase(customer))
    shop.post(shop.event(customer, "profile_updated", first_name="山田花子", phone="+818012345678"))
    shop.clock.settle()
    queue = shop.stores.target.client("sqs")
    queue.send_message(QueueUrl=shop.stores.settings.queue_send_url, MessageBody=f'{{"broken": "{user}"}}')
    wait_until(lambda: any("failed" in line for line in log_lines(shop)))
    queue.purge_queue(QueueUrl=shop.stores.settings.queue_send_url)
    shop.clock.settle()
    lines = list(log_lines(shop))
    for secret in (
        customer,
        user,
        "090-1234-5678",
        "jane@example.com",
        "山田花子",
        r"\u5c71\u7530",
        "8012345678",
        shop.record["channel_secret"],
        "customer-",
        "U0000",
    ):
        assert not [line for line in lines if secret in line], secret
