"""`musubi doctor` on the whole system: well as it comes up, and each thing that breaks is found and mended."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ops.line_sandbox import SandboxClient
from tests.e2e.conftest import Local
from tests.e2e.shop import Shop

pytestmark = pytest.mark.e2e
# What other tests leave behind among the dead is theirs.
LEFT_BY_OTHERS = {"dead letters"}


def broken(shop: Shop) -> set[str]:
    answer = shop.musubi("doctor", "--format", "json")
    told = json.loads(answer.stdout)
    found = {one["check"] for one in told["findings"] if one["status"] == "mend"}
    assert told["well"] == (not found)
    return found - LEFT_BY_OTHERS


@contextmanager
def another_secret(local: Local) -> Iterator[None]:
    secrets, name = local.target.client("secretsmanager"), local.target.output("SecretLine")
    before = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps({"channel_secret": "generated"}))
    yield
    secrets.put_secret_value(SecretId=name, SecretString=before)


@contextmanager
def a_queue_that_nobody_reads(local: Local) -> Iterator[None]:
    lambda_ = local.target.client("lambda")
    measures = [
        one["UUID"]
        for one in lambda_.list_event_source_mappings()["EventSourceMappings"]
        if local.target.output("FunctionMeasure") in one["FunctionArn"]
    ]
    lambda_.update_event_source_mapping(UUID=measures[0], Enabled=False)
    yield
    lambda_.update_event_source_mapping(UUID=measures[0], Enabled=True)


@contextmanager
def no_webhooks(local: Local) -> Iterator[None]:
    line = SandboxClient(local.record["line_url"])
    line.configure(webhook_active=False)
    yield
    line.configure(webhook_active=True)


@contextmanager
def a_month_that_is_used_up(local: Local) -> Iterator[None]:
    line = SandboxClient(local.record["line_url"])
    before = line.settings().monthly_limit
    line.configure(monthly_limit=0)
    yield
    line.configure(monthly_limit=before)


@contextmanager
def an_alarm_that_rings(local: Local) -> Iterator[None]:
    watch = local.target.client("cloudwatch")
    pages = (
        local.target.client("cloudformation")
        .get_paginator("list_stack_resources")
        .paginate(StackName="Musubi")
    )
    ours = [
        one
        for page in pages
        for one in page["StackResourceSummaries"]
        if "LoadAge" in one["LogicalResourceId"]
    ]
    name = ours[0]["PhysicalResourceId"]
    watch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="tried")
    yield
    watch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="tried")


BREAKS: dict[str, tuple[Callable[[Local], Any], set[str]]] = {
    "a secret": (another_secret, {"secrets", "line token", "webhook", "quota"}),
    "a queue": (a_queue_that_nobody_reads, {"streams"}),
    "the webhook": (no_webhooks, {"webhook"}),
    "the month": (a_month_that_is_used_up, {"quota"}),
    "an alarm": (an_alarm_that_rings, {"alarms"}),
}


def test_what_is_up_is_well(shop: Shop) -> None:
    assert broken(shop) == set()


@pytest.mark.parametrize("what", BREAKS)
def test_what_breaks_is_found_and_once_mended_gone(shop: Shop, local: Local, what: str) -> None:
    break_it, expected = BREAKS[what]
    with break_it(local):
        assert broken(shop) == expected
    assert broken(shop) == set()
