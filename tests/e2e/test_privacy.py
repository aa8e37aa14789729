"""Personal data never reaches a log: of what is said here; at the end of the run, of all that every test made functions say."""

import json
from typing import Any

import pytest

from tests.e2e.logs import NAMES_OF_PEOPLE, log_lines
from tests.e2e.shop import Shop, wait_until
from tests.e2e.test_main_job import next_local

pytestmark = pytest.mark.e2e


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
    wait_until(lambda: any("failed" in line for line in log_lines(shop.stores.target)))
    queue.purge_queue(QueueUrl=shop.stores.settings.queue_send_url)
    shop.clock.settle()
    lines = list(log_lines(shop.stores.target))
    for secret in (
        customer,
        user,
        "090-1234-5678",
        "jane@example.com",
        "山田花子",
        r"\u5c71\u7530",
        "8012345678",
        shop.record["channel_secret"],
        *NAMES_OF_PEOPLE,
    ):
        assert not [line for line in lines if secret in line], secret


def invocations(shop: Shop) -> list[dict[str, Any]]:
    """The lines that invocations wrote."""
    lines = [
        line[line.index("{") :] for line in log_lines(shop.stores.target) if '"message":"invocation"' in line
    ]
    return [json.loads(line) for line in lines]


def names(told: list[dict[str, Any]], kind: str, *services: str) -> set[str]:
    return {name for one in told if one["service"] in services for name in one.get(kind, [])}


def test_every_invocation_wrote_one_line_and_a_message_is_followed_by_its_name(shop: Shop) -> None:
    """From the webhook to who decided, and from who gave a message on to who sent it."""
    next_local(shop, 11)
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    shop.clock.settle()
    wait_until(lambda: bool(names(invocations(shop), "gave", "webhook")))
    told = invocations(shop)
    assert len({one["request_id"] for one in told}) == len(told)
    decided = names(told, "took", "decide")
    assert decided & names(told, "gave", "webhook")
    assert decided & names(told, "gave", "ingest")
    sent = names(told, "took", "send")
    given = names(told, "gave", "decide", "tick", "evaluate", "send", "redrive")
    assert sent
    assert sent & given
