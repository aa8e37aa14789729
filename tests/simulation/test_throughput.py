"""The send lanes in virtual time: a campaign at LINE's limit, no 429, and nobody waits behind it."""

from dataclasses import replace

import pytest

from tests.simulation.throughput import FULL, LOADS, Lanes, Load, Throughput

SMALL = 50_000
"""The rates are those of the whole campaign; `make simulate` runs all of it."""
WAIT_SECONDS_MAX = 5.0
CAMPAIGN_SECONDS_MAX = 600.0
SLOW_CPU_MS = 4.5
"""Three and a half times the sender's budget."""


@pytest.mark.parametrize("name", LOADS)
def test_nobody_is_refused_and_no_notification_waits_longer_than_five_seconds(name: str) -> None:
    outcome = Throughput(Lanes(), replace(LOADS[name], recipients=SMALL)).run()
    assert outcome.refused == 0, outcome.told
    assert outcome.wait(1) <= WAIT_SECONDS_MAX, outcome.told


def test_a_campaign_of_pushes_takes_its_lanes_whole_share_of_lines_limit() -> None:
    """What a larger campaign takes longer: by then all workers are there."""
    lanes = Lanes()
    share = lanes.pushes_second * lanes.bulk_workers / (lanes.send_workers + lanes.bulk_workers)
    small, large = (Throughput(lanes, Load(recipients)).run() for recipients in (SMALL, 2 * SMALL))
    assert SMALL / (large.seconds - small.seconds) == pytest.approx(share, rel=0.03), large.told


@pytest.mark.parametrize("cpu_ms", [Lanes().cpu_ms, SLOW_CPU_MS])
def test_seven_hundred_thousand_by_multicast_take_less_than_ten_minutes(cpu_ms: float) -> None:
    outcome = Throughput(Lanes(cpu_ms=cpu_ms), Load(FULL, multicast=True)).run()
    assert (outcome.refused, outcome.seconds <= CAMPAIGN_SECONDS_MAX) == (0, True), outcome.told
    assert outcome.wait(1) <= WAIT_SECONDS_MAX, outcome.told


def test_workers_that_each_take_the_whole_limit_are_refused() -> None:
    """The model sees it where the rate is not shared."""
    quick = Lanes(whole_limit_each=True, bulk_workers=100)
    assert Throughput(quick, Load(SMALL)).run().refused > 0


def test_in_one_queue_with_the_campaign_a_notification_waits_for_all_of_it() -> None:
    """The model sees it where there are no lanes."""
    outcome = Throughput(Lanes(wait_in_one_queue=True), Load(SMALL, notifications_second=10, burst=1)).run()
    assert not outcome.waits or outcome.wait(0.5) > WAIT_SECONDS_MAX, outcome.told
