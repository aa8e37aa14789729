"""`python -m tests.simulation --seeds N`: so many seeds, a crash at every point of the shortest stories, every mutant; on
all cores. `--seed S`: one seed's whole history, with `--mutant M` that of the flows broken so."""

import argparse
import logging
import sys
import time
from collections.abc import Iterator, Sequence

from tests.simulation.crash_points import STORIES
from tests.simulation.every_mutant import EVERY_MUTANT
from tests.simulation.jobs import Crashed, CrashJob, Job, SeedJob, in_order
from tests.simulation.report import Report
from tests.simulation.run import Outcome, run_seed, sound

MUTANT_SEEDS = 40
"""So many first seeds each mutant lives through, to be told how many of them catch it."""
MUTANT_SEEDS_MAX = 2_000
"""So many it gets where none of the first did."""
PAIRS = 40
BAR_WIDTH = 30
BAR_SECONDS = 0.5 if sys.stderr.isatty() else 20
INTERRUPTED = 130


def main() -> int:
    """0 where nothing was violated and every mutant was caught, else 1; 130 where it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many seeds (10,000 unless told)")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, help="how many at once (one a core unless told)")
    parser.add_argument("--seed", type=int, help="replay this one and print its history")
    parser.add_argument("--mutant", choices=sorted(EVERY_MUTANT), help="with --seed: break the flows so")
    options = parser.parse_args()
    if options.seed is not None:
        logging.disable(logging.CRITICAL)
        return _replay(options.seed, options.mutant)
    return _live_through(options.start, options.seeds, options.processes)


def _replay(seed: int, mutant: str | None) -> int:
    history: list[str] = []
    try:
        outcome = run_seed(seed, EVERY_MUTANT[mutant] if mutant else sound, history)
    finally:
        print("\n".join(history))
    print("\n".join([f"{len(outcome.violations)} violations", *outcome.violations]))
    return 1 if outcome.violations else 0


def _live_through(start: int, seeds: int, processes: int | None) -> int:
    begun, report = time.monotonic(), Report()
    jobs: list[Job] = [SeedJob(start + number) for number in range(seeds)]
    jobs += [CrashJob(story, PAIRS) for story in STORIES]
    jobs += [SeedJob(number, mutant) for mutant in EVERY_MUTANT for number in range(MUTANT_SEEDS)]
    try:
        for job, result in _shown(jobs, in_order(jobs, processes), report):
            report.take(job, result)
        for mutant in report.uncaught:
            _search_on(mutant, report, processes)
    except KeyboardInterrupt:
        print(f"\ninterrupted after {time.monotonic() - begun:.1f} s", file=sys.stderr)
        print("\n".join(report.lines()))
        return INTERRUPTED
    print("\n".join(report.lines()))
    print(f"{time.monotonic() - begun:.1f} s")
    return 1 if report.failed else 0


def _search_on(mutant: str, report: Report, processes: int | None) -> None:
    """Further seeds, until one catches it."""
    further = [SeedJob(number, mutant) for number in range(MUTANT_SEEDS, MUTANT_SEEDS_MAX)]
    for job, result in zip(further, in_order(further, processes), strict=True):
        report.take(job, result)
        if mutant not in report.uncaught:
            return


def _shown(
    jobs: Sequence[Job], results: Iterator[Outcome | Crashed], report: Report
) -> Iterator[tuple[Job, Outcome | Crashed]]:
    """Each job with its result, and one bar for all of them."""
    shown = 0.0
    for number, (job, result) in enumerate(zip(jobs, results, strict=True), start=1):
        yield job, result
        if time.monotonic() - shown > BAR_SECONDS or number == len(jobs):
            shown = time.monotonic()
            _bar(number, len(jobs), job, report)
    print(file=sys.stderr)


def _bar(number: int, total: int, job: Job, report: Report) -> None:
    full = BAR_WIDTH * number // total
    bar = "█" * full + "░" * (BAR_WIDTH - full)
    start, end = ("\r", "") if sys.stderr.isatty() else ("", "\n")
    part = "crash points" if isinstance(job, CrashJob) else "mutants" if job.mutant else "seeds"
    told = f"{start}{bar} {number:,}/{total:,} {part:<12} {report.violated:,} with violations"
    print(told, end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
