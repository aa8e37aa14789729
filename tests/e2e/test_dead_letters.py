"""Dead letters on the engine: real failures, told by cause, and put back through the real gate under real rights."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from functions.domain.instants import format_instant
from functions.domain.sends import Intent, send_id_of
from ops.line_sandbox.faults import FaultRule
from tests.e2e.conftest import Local
from tests.e2e.shop import Shop, wait_until
from tests.e2e.test_main_job import next_local

pytestmark = pytest.mark.e2e

GONE = "0000000000000000"
MESSAGE = "onboarding_welcome"


@pytest.fixture
def impatient(local: Local, shop: Shop) -> Iterator[None]:
    """What fails in `send` comes again after a second, so that it is dead in five; nothing dead is left behind."""
    sqs, url = local.target.client("sqs"), local.target.output("QueueSendUrl")
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes=before)
    shop.line.clear_faults()


def intent(shop: Shop, customer: str, user: str, playbook: str = "") -> Intent:
    """A support message of the playbook in force, as a journey would mean it now: the accounts know of it."""
    known = shop.stores.customers.load(customer)
    assert known is not None
    meant = known.intended | {"onboarding": known.intended.get("onboarding", 0) + 1}
    shop.stores.customers.save(msgspec.structs.replace(known, intended=meant))
    current = shop.stores.playbooks.in_force()
    message = current.playbook.messages[MESSAGE]
    now = shop.clock.now
    return Intent(
        send_id=send_id_of("main", "onboarding", "j1", "hello", user, format_instant(now)),
        customer_id=customer,
        line_user_id=user,
        kind="support",
        source="onboarding",
        journey="j1",
        step="hello",
        occurrence=format_instant(now),
        message=MESSAGE,
        message_hash=message.hash,
        playbook=playbook or current.version,
        rank=0,
        made_at=now,
        expires_at=now + dt.timedelta(days=8),
        values=dict(message.fallbacks),
        scenario="onboarding",
    )


def put(local: Local, queue: str, one: Intent) -> None:
    local.target.client("sqs").send_message(
        QueueUrl=local.target.output(queue), MessageBody=msgspec.json.encode(one).decode()
    )


def redrive(local: Local, **event: Any) -> dict[str, Any]:
    """What the function answers an operator."""
    answer = local.target.client("lambda").invoke(
        FunctionName=local.target.output("FunctionRedrive"), Payload=json.dumps(event)
    )
    told: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return told


def listed(shop: Shop, *arguments: str) -> dict[str, Any]:
    answer = shop.musubi("dlq", *arguments, "--format", "json")
    assert answer.exit_code == 0, answer.output
    told: dict[str, Any] = json.loads(answer.stdout)
    return told


@pytest.mark.usefixtures("impatient")
def test_what_died_is_told_by_its_cause_and_sent_once_when_the_cause_is_mended(
    local: Local, shop: Shop
) -> None:
    next_local(shop, 11)
    customer, user = shop.new_customer()
    shop.link(customer, user)
    shop.clock.settle()
    put(local, "QueueSendUrl", intent(shop, customer, user, playbook=GONE))
    wait_until(lambda: listed(shop, "list", "--customer", customer)["letters"] == 1, 60)
    (group,) = listed(shop, "list", "--customer", customer)["groups"]
    assert group["queue"] == "send"
    assert group["cause"].startswith("Rejected: there is no playbook version … (functions/aws/objects.py:")
    (item,) = group["items"]
    assert (item["scenario"], item["step"], item["error"]["function"]) == ("onboarding", "hello", "send")
    (same,) = redrive(local, customer=customer)["groups"]
    assert same["cause"] == group["cause"]
    assert set(listed(shop, "replay", "--dry-run", "--customer", customer)["would"]) == {
        f"fails: there is no playbook version {GONE}"
    }

    current = shop.stores.playbooks.in_force().version
    body = shop.stores.objects.read(f"playbooks/{current}.json")
    assert body is not None
    shop.stores.objects.write(f"playbooks/{GONE}.json", body)
    assert redrive(local, action="replay", dry_run=True, customer=customer)["would"] == {"push": 1}
    told = redrive(local, action="replay", customer=customer, by="hana")
    assert (told["put_back"], told["finished"]) == (1, True), told
    shop.clock.settle()
    assert shop.copies(user) == 1
    assert [record.status for record in shop.sends_of(customer, "hello")] == ["sent"]
    assert listed(shop, "list", "--customer", customer)["letters"] == 0
    mine = [
        one
        for one in json.loads(shop.musubi("dlq", "replays", "--format", "json").stdout)
        if one["replay"] == told["replay"]
    ]
    assert [(one["by"], one["put_back"], one["finished"]) for one in mine] == [("hana", 1, True)]


@pytest.mark.usefixtures("impatient")
def test_a_letter_whose_retry_key_is_too_old_ends_as_unknown_and_line_is_not_called(
    local: Local, shop: Shop
) -> None:
    next_local(shop, 11)
    customer, user = shop.new_customer()
    shop.link(customer, user)
    shop.clock.settle()
    one = intent(shop, customer, user)
    shop.line.faults([FaultRule(kind="drop_before", endpoint="push", user=user)])
    put(local, "QueueSendUrl", one)
    shop.clock.settle()
    gate = shop.stores.customers.load_gate(customer)
    assert gate is not None
    assert [claim.state for claim in gate.claims] == ["open"], "LINE was asked, and nobody knows what it did"
    forget_holds(local, one)
    shop.line.clear_faults()
    put(local, "DeadSendUrl", one)
    assert listed(shop, "replay", "--dry-run", "--customer", customer)["would"] == {"push_again": 1}
    shop.pass_time(days=1)
    assert listed(shop, "replay", "--dry-run", "--customer", customer)["would"] == {"unknown: key_expired": 1}
    pushes = shop.line.report(with_users=False).answers["push"]
    answer = shop.musubi("dlq", "replay", "--customer", customer, "--yes")
    assert answer.exit_code == 0, answer.output
    shop.clock.settle()
    assert [(r.status, r.reason) for r in shop.sends_of(customer, "hello")] == [("unknown", "key_expired")]
    assert (shop.copies(user), shop.line.report(with_users=False).answers["push"]) == (0, pushes)


def forget_holds(local: Local, one: Intent) -> None:
    """The timer under which the message waits for its next try is lost."""
    dynamodb, table = local.target.client("dynamodb"), local.target.output("TableTimers")
    for row in dynamodb.scan(TableName=table)["Items"]:
        if one.send_id in json.dumps(row):
            dynamodb.delete_item(TableName=table, Key={"pk": row["pk"], "sk": row["sk"]})
