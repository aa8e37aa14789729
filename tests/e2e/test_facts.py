"""What happens on the real bundle becomes facts, exactly once, though the workers that write and merge them are killed."""

import json
import time
from collections import Counter
from typing import Any

import pytest

from functions.aws.lake import S3Lake
from functions.domain.facts import EVENTS, FRIENDSHIPS, JOURNEYS, MEMBERSHIPS, PEOPLE, SENDS
from functions.domain.lake import Table
from functions.measure.tables import ORDERS
from functions.measure.workspace import Workspace, opened
from ops.errors import UserError
from ops.local.facts import WaitingFacts
from ops.local.workers import kill_workers
from tests.e2e.shop import Shop
from tests.e2e.test_main_job import next_local

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("nights")]
MEMBER_OF = "SELECT segment FROM memberships WHERE customer_id = ? GROUP BY segment HAVING arg_max(change, seen_at) = 'entered'"


def lake_of(shop: Shop) -> S3Lake:
    target = shop.stores.target
    return S3Lake(target.client("s3"), target.output("Bucket"))


def rows(workspace: Workspace, table: Table, columns: str, customer: str) -> list[tuple[Any, ...]]:
    """What the partitions say of a customer."""
    workspace.view(table, workspace.all_days(table))
    sql = f"SELECT {columns} FROM {table.name} WHERE customer_id = ? ORDER BY ALL"
    return workspace.connection.execute(sql, [customer]).fetchall()


def test_what_was_sent_and_what_happened_are_facts_once_each_by_the_next_morning(shop: Shop) -> None:
    next_local(shop, 11)
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    bought = shop.purchase(customer)
    shop.post(bought)
    shop.clock.settle()
    shop.kill_workers("facts")
    shop.pass_time(days=2)
    sent = {one.send_id: one.status for one in shop.stores.sends.of_customer(customer)}
    assert sent
    card = shop.stores.customers.load(customer)
    assert card is not None

    lake = lake_of(shop)
    with opened(lake) as workspace:
        sends = rows(workspace, SENDS, "send_id, status", customer)
        assert dict(sends) == sent
        assert len(sends) == len(sent)
        events = Counter(name for (name,) in rows(workspace, EVENTS, "name", customer))
        assert events["purchase"] == 1
        assert (True,) in rows(workspace, PEOPLE, "linked", customer)
        told = rows(workspace, JOURNEYS, "journey_id", customer)
        assert {one for (one,) in told} >= {journey.journey_id for journey in card.journeys}
        tracked = shop.stores.playbooks.in_force().tracked
        workspace.view(MEMBERSHIPS, workspace.all_days(MEMBERSHIPS))
        members = workspace.connection.execute(MEMBER_OF, [customer]).fetchall()
        assert {one for (one,) in members} == {name for key in card.segments for name in tracked[key].names}
        assert len(rows(workspace, ORDERS, "order_id", customer)) == 1
        workspace.view(FRIENDSHIPS, workspace.all_days(FRIENDSHIPS))
        follows = workspace.connection.execute("SELECT customer_id FROM friendships").fetchall()
    assert follows
    assert not [one for (one,) in follows if user in one]


PATTERN = {"source": ["musubi"], "detail-type": ["SendEnded.v1", "FriendshipChanged.v1"]}


def subscribed(shop: Shop, name: str) -> str:
    """A queue of somebody who follows what is sent, and who comes and goes, as docs/results.md says; its address."""
    target = shop.stores.target
    sqs, bus = target.client("sqs"), target.client("events")
    queue: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    on = {"EventBusName": target.output("LiveBusName")}
    bus.put_rule(Name=name, EventPattern=json.dumps(PATTERN), **on)
    bus.put_targets(Rule=name, Targets=[{"Id": name, "Arn": arn}], **on)
    return queue


def received(shop: Shop, queue: str) -> list[dict[str, Any]]:
    """All that waits in the queue, each once by its id."""
    sqs, found = shop.stores.target.client("sqs"), {}
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            told = json.loads(message["Body"])
            found[told["detail"]["id"]] = told
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return list(found.values())


def test_what_was_sent_is_told_live_to_whoever_subscribes(shop: Shop) -> None:
    queue = subscribed(shop, "live-crm")
    next_local(shop, 11)
    customer, user = shop.new_customer()
    shop.befriend(customer, user)
    shop.kill_workers("facts")
    shop.post(shop.purchase(customer))
    shop.pass_time(days=1)
    WaitingFacts(shop.stores.target).settle()
    ended = {one.send_id: one.status for one in shop.stores.sends.of_customer(customer)}
    assert ended
    told = received(shop, queue)
    sends = [one["detail"] for one in told if one["detail-type"] == "SendEnded.v1"]
    assert {one["send_id"]: one["status"] for one in sends if one["customer_id"] == customer} == ended
    assert {one["detail"]["change"] for one in told if one["detail-type"] == "FriendshipChanged.v1"} == {
        "follow"
    }
    assert {one["detail-type"] for one in told} == set(PATTERN["detail-type"])
    assert user not in json.dumps(told)


def test_workers_that_are_killed_while_they_write_and_merge_lose_and_double_nothing(shop: Shop) -> None:
    next_local(shop, 12)
    customer, user = shop.new_customer()
    shop.link(customer, user)
    shop.pass_time(days=1)
    bought = []
    for number in range(2):
        orders = [shop.purchase(customer) for _ in range(20)]
        bought += orders
        shop.post(*orders)
        time.sleep(0.05 * number)
        kill_workers(shop.run_dir, "facts")
        shop.clock.settle()
        WaitingFacts(shop.stores.target).settle()
        assert shop.musubi("measure", "--no-wait").exit_code == 0
        time.sleep(0.3 * (number + 1))
        kill_workers(shop.run_dir, "measure")
    shop.clock.settle()
    answer = shop.musubi("measure")
    assert answer.exit_code == 0, answer.output
    with opened(lake_of(shop)) as workspace:
        facts = rows(workspace, EVENTS, "event_id", customer)
        of_orders = [one for (one,) in facts if one in {order["event_id"] for order in bought}]
        assert sorted(of_orders) == sorted(order["event_id"] for order in bought)
    assert not lake_of(shop).keys("facts/raw/events/")


def test_a_day_that_is_not_over_is_not_measured(shop: Shop) -> None:
    with pytest.raises(UserError, match="2999-01-01 is not over yet"):
        shop.musubi("measure", "--day", "2999-01-01")
