"""Real workers against the buckets that the LINE sandbox keeps: at the configured limit nothing is refused, in real time."""

import statistics
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import pytest

from functions.line.messaging import LineMessaging
from functions.line.pacing import Pace
from functions.settings import LINE_PUSH_PER_SECOND, read_settings
from functions.threads import Threads
from ops.line_sandbox import SANDBOX_ACCESS_TOKEN, LineSandbox, Settings

LIMIT = 100
"""Pushes a second of the channel: so few that this machine reaches it."""
LANES = {"SEND_CONCURRENCY": "2", "BULK_CONCURRENCY": "3"}
WORKERS = sum(map(int, LANES.values()))
BATCH = 10
STEADY_SECONDS = 5
RUSH_SECONDS = 1.5
HELLO = [{"type": "text", "text": "こんにちは"}]
USER = "U" + "1" * 32


class Token:
    """The sandbox's own."""

    def __call__(self) -> str:
        return SANDBOX_ACCESS_TOKEN

    def forget(self) -> None:
        """It never changes."""


@pytest.fixture
def sandbox() -> Iterator[LineSandbox]:
    settings = Settings(accept_any_user=True, rate_scale=LIMIT / LINE_PUSH_PER_SECOND)
    with LineSandbox(settings=settings) as running:
        yield running


def work(sandbox: LineSandbox, per_second: float, begun: float, seconds: float) -> list[float]:
    """One worker: batch after batch, ten pushes side by side; when each was accepted, in seconds since `begun`."""
    line = LineMessaging(sandbox.url, Token(), 5.0, Pace(per_second))
    together, accepted = Threads(BATCH), []

    def push() -> float:
        line.push(USER, HELLO, str(uuid.uuid4()))
        return time.monotonic() - begun

    while time.monotonic() - begun < seconds:
        answers = together([push] * BATCH)
        accepted += [answer for answer in answers if isinstance(answer, float)]
    return accepted


def all_work(sandbox: LineSandbox, per_second: float, seconds: float) -> list[float]:
    """All workers at once, each with a bucket of its own."""
    one = partial(work, sandbox, per_second, time.monotonic(), seconds)
    with ThreadPoolExecutor(WORKERS) as workers:
        done = [workers.submit(one) for _ in range(WORKERS)]
        return [at for worker in done for at in worker.result()]


def accepted_a_second(times: list[float], seconds: int) -> list[int]:
    """How many were accepted in each whole second after the first."""
    return [sum(start <= at < end for at in times) for start, end in pairwise(range(1, seconds + 1))]


def answers(sandbox: LineSandbox) -> dict[str, int]:
    return sandbox.world.report(with_users=False).answers["push"]


def test_at_the_configured_limit_nothing_is_refused_and_the_limit_is_used(sandbox: LineSandbox) -> None:
    share = read_settings({"LINE_PUSH_PER_SECOND": str(LIMIT), **LANES}).push_per_second
    times = all_work(sandbox, share, STEADY_SECONDS)
    assert answers(sandbox) == {"200": len(times)}
    each_second = accepted_a_second(times, STEADY_SECONDS)
    # The median second: one in which the machine did something else says nothing of the pace.
    assert 0.9 * LIMIT <= statistics.median(each_second) <= 1.1 * LIMIT, each_second


def test_workers_that_each_take_the_whole_limit_are_refused(sandbox: LineSandbox) -> None:
    """What the test above would see if the rate were not shared."""
    whole = read_settings({"LINE_PUSH_PER_SECOND": str(LIMIT)}).push_per_second
    assert whole == LIMIT
    all_work(sandbox, whole, RUSH_SECONDS)
    assert answers(sandbox)["429"] > LIMIT / 10, answers(sandbox)
