"""What there is to simulate, as jobs for as many processes as there are cores, with their results in order."""

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.simulation.crash_points import STORIES, crash_at_pairs, crash_everywhere
from tests.simulation.every_mutant import EVERY_MUTANT
from tests.simulation.run import Outcome, run_seed, sound

JOBS_AT_ONCE = 4


class SeedJob(NamedTuple):
    """One seed, with the flows as they are, or as a mutant."""

    seed: int
    mutant: str = ""


class CrashJob(NamedTuple):
    """One story, with a crash at every point, and at so many pairs of points."""

    story: str
    pairs: int = 0


class Crashed(NamedTuple):
    """At how many points, and pairs of points, one story was crashed; what was wrong then, if anything."""

    story: str
    points: int
    pairs: int
    fault: str


Job = SeedJob | CrashJob


def done(job: Job) -> Outcome | Crashed:
    """Do one job."""
    if isinstance(job, SeedJob):
        return run_seed(job.seed, EVERY_MUTANT[job.mutant] if job.mutant else sound)
    story = STORIES[job.story]
    points = 0
    try:
        points = crash_everywhere(story.begin, story.act, story.check)
        pairs = crash_at_pairs(story, job.pairs)
    except AssertionError as error:
        return Crashed(job.story, points, 0, str(error))
    return Crashed(job.story, points, pairs, "")


def in_order(jobs: Iterable[Job], processes: int | None = None) -> Iterator[Outcome | Crashed]:
    """The results in the order of the jobs, from one process a core. An interruption ends the processes at once."""
    with multiprocessing.Pool(processes or os.cpu_count(), _quiet) as pool:
        yield from pool.imap(done, jobs, JOBS_AT_ONCE)


def _quiet() -> None:
    """What the flows log of LINE's refusals is what they are asked to; Ctrl-C is the parent's to answer."""
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
