"""A worker's share of LINE's rate: whatever the workers do, LINE's own bucket never runs empty."""

import random
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.line.pacing import BURST_SECONDS, Pace
from ops.line_sandbox.buckets import Rate, TokenBucket


class Time:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_bucket_starts_empty_and_lets_so_many_a_second_pass() -> None:
    time_ = Time()
    pace = Pace(10, time_.monotonic, time_.sleep)
    gone = []
    for _ in range(30):
        pace.wait()
        gone.append(time_.now)
    assert gone[0] == pytest.approx(0.1)
    assert gone[-1] == pytest.approx(3.0)


def test_an_idle_hour_gives_no_more_than_a_short_burst() -> None:
    time_ = Time()
    pace = Pace(100, time_.monotonic, time_.sleep)
    time_.now = 3600.0
    for _ in range(100):
        pace.wait()
    assert time_.now - 3600 >= (100 - 1) / 100 - BURST_SECONDS - 1e-6


def test_a_rate_of_nothing_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="lets nothing pass"):
        Pace(0)


def test_threads_of_one_worker_share_its_rate() -> None:
    pace, begun = Pace(200), time.monotonic()

    def ten_calls() -> None:
        for _ in range(10):
            pace.wait()

    threads = [threading.Thread(target=ten_calls) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - begun >= 100 / 200 - BURST_SECONDS


@given(st.integers(1, 40), st.sampled_from([50.0, 200.0, 2000.0]), st.integers(0, 2**32))
def test_workers_at_their_shares_never_meet_lines_limit(workers: int, limit: float, seed: int) -> None:
    """Workers that idle and rush as they like, against the bucket that LINE keeps: none of their calls is refused."""
    random_ = random.Random(seed)
    bucket, calls = TokenBucket(Rate(limit), 0.0), []
    for _ in range(workers):
        time_ = Time()
        pace = Pace(limit / workers, time_.monotonic, time_.sleep)
        for _ in range(random_.randint(1, 60)):
            if random_.random() < 0.1:
                time_.sleep(random_.uniform(0, 3))
            pace.wait()
            calls.append(time_.now)
    assert all(bucket.take(at) for at in sorted(calls))
