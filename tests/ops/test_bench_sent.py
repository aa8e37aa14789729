"""What was counted and timed, put together a message."""

import pytest

from ops.bench.counting import Counts, Tally
from ops.bench.sender import Design, Done
from ops.bench.sent import PACED, REFRESHED_MS, Refresh, Sent, refresh_of, sent_of

REFRESH = Refresh(read_units=0.5, s3_gets=4)
CPU = (1.0, 0.9, 1.5)


def done(design: Design, batch: int, messages: int) -> Done:
    counts = {
        "dynamodb.BatchGetItem": Tally(
            requests=messages // batch, charged=messages // batch, read_units=2.0 * messages
        ),
        "dynamodb.BatchExecuteStatement": Tally(requests=2 * messages // batch, write_units=2.0 * messages),
    }
    return Done(design, batch, messages // batch, messages, 0.1, 0.1, Counts(counts))


def sent(design: Design, batch: int) -> Sent:
    return sent_of(done(design, batch, 50), REFRESH, 0.3, CPU, line_waits=1.0)


def test_a_message_takes_its_share_of_a_batch() -> None:
    full = sent("musubi", 10)
    assert full.work.write_units == full.work.read_units == 2.0
    assert full.work.invocations == pytest.approx(0.1)
    assert full.dynamodb_calls == pytest.approx(0.3)


def test_a_full_batch_is_billed_no_shorter_than_its_workers_share_of_the_rate() -> None:
    assert sent("musubi", 10).work.billed_ms == pytest.approx(PACED["musubi", 10] / 10)


def test_a_refresh_is_shared_by_what_a_worker_sends_meanwhile() -> None:
    full = sent("musubi", 10)
    messages = REFRESHED_MS / full.work.billed_ms
    assert full.work.refresh_units == pytest.approx(0.5 / messages)
    assert full.work.s3_gets == pytest.approx(4 / messages)


def test_a_message_alone_bears_a_whole_refresh_and_the_common_design_none() -> None:
    assert sent("musubi", 1).work.refresh_units == 0.5
    assert sent("musubi", 1).work.s3_gets == 4
    assert sent("common", 1).work.s3_gets == sent("common", 1).work.refresh_units == 0


def test_a_refresh_is_what_only_a_worker_with_old_caches_asks() -> None:
    fresh = done("musubi", 10, 50).counts
    read_anew = {"s3.GetObject": Tally(requests=4), "dynamodb.GetItem": Tally(requests=1, read_units=0.5)}
    assert refresh_of(Counts({**fresh.by_operation, **read_anew}), fresh) == REFRESH
