"""The budgets of a delivered message, as far as they are counts: on the embedded engine, with the production sender."""

import pytest

from functions.domain.batches import MULTICAST_MAX
from ops.bench import sending, sent, servers
from ops.bench.counting import Counts
from ops.bench.lanes import BATCH
from ops.bench.sender import Design, Done

pytestmark = pytest.mark.e2e

Counted = dict[tuple[Design, int], Done]


@pytest.fixture(scope="module")
def counted() -> Counted:
    with servers.started() as up:
        return sending.prepared(up).counted()


def each(counted: Counted, design: Design, batch: int) -> tuple[Counts, int]:
    done = counted[design, batch]
    return done.counts, done.messages


def test_a_full_batch_keeps_the_budgets_of_units(counted: Counted) -> None:
    counts, messages = each(counted, "musubi", BATCH)
    assert counts.total("write_units") / messages <= sent.WRITES_MAX
    assert counts.total("read_units") / messages <= sent.READS_MAX


def test_a_full_batch_asks_dynamodb_far_less_often_than_once_a_message(counted: Counted) -> None:
    counts, messages = each(counted, "musubi", BATCH)
    assert counts.total("requests", "dynamodb") / messages < 1


def test_nothing_is_logged_of_a_message_that_is_delivered(counted: Counted) -> None:
    assert counted["musubi", BATCH].log_lines == 0
    assert counted["musubi", 1].log_lines == 0


def test_the_common_design_is_counted_by_the_same_rules(counted: Counted) -> None:
    counts, messages = each(counted, "common", 1)
    assert counts.total("write_units") / messages == 4  # begun, counted against the cap, recorded, completed
    assert counts.total("read_units") / messages == 2
    assert counted["common", 1].log_lines == messages


def test_a_recipient_of_a_multicast_keeps_the_budgets_of_units(counted: Counted) -> None:
    counts, recipients = each(counted, "multicast", 1)
    assert recipients == MULTICAST_MAX
    assert counts.total("write_units") / recipients <= sent.WRITES_MAX
    assert counts.total("read_units") / recipients <= sent.READS_MAX
    assert counted["multicast", 1].log_lines == 0
