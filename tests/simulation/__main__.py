"""`python -m tests.simulation --seeds N`: live through so many seeds; `--seed S`: tell one seed's whole history."""

import argparse
import logging
import sys
import time
from collections import Counter

from tests.simulation.run import Outcome, run_seed

FAILED_SHOWN = 20
BAR_WIDTH = 30
BAR_SECONDS = 0.5 if sys.stderr.isatty() else 20


def main() -> int:
    """0 where nothing was violated, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many seeds (10,000 unless told)")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="replay this one and print its history")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what the flows log of LINE's refusals is what they are asked to
    if options.seed is not None:
        return _replay(options.seed)
    return _live_through(options.start, options.seeds)


def _replay(seed: int) -> int:
    history: list[str] = []
    try:
        outcome = run_seed(seed, history=history)
    finally:
        print("\n".join(history))
    _say([outcome])
    return 1 if outcome.violations else 0


def _live_through(start: int, seeds: int) -> int:
    outcomes: list[Outcome] = []
    begun = shown = time.monotonic()
    for number in range(seeds):
        outcomes.append(run_seed(start + number))
        if time.monotonic() - shown > BAR_SECONDS or number == seeds - 1:
            shown = time.monotonic()
            _bar(number + 1, seeds, sum(bool(one.violations) for one in outcomes))
    print(file=sys.stderr)
    _say(outcomes)
    print(f"{time.monotonic() - begun:.1f} s")
    return 1 if any(outcome.violations for outcome in outcomes) else 0


def _bar(done: int, seeds: int, failed: int) -> None:
    full = BAR_WIDTH * done // seeds
    bar = "█" * full + "░" * (BAR_WIDTH - full)
    start, end = ("\r", "") if sys.stderr.isatty() else ("", "\n")
    told = f"{start}{bar} {done:,}/{seeds:,} seeds, {failed:,} with violations"
    print(told, end=end, file=sys.stderr, flush=True)


def _say(outcomes: list[Outcome]) -> None:
    failed = [outcome for outcome in outcomes if outcome.violations]
    faults, sends = Counter[str](), Counter[str]()
    for outcome in outcomes:
        faults.update(outcome.faults)
        sends.update(outcome.sends)
    print(f"seeds            {len(outcomes):,}")
    print(f"crash points     {sum(outcome.points for outcome in outcomes):,}")
    print(
        f"messages ended   {sum(sends.values()):,} ({', '.join(f'{n:,} {name}' for name, n in sorted(sends.items()))})"
    )
    print(f"faults injected  {sum(faults.values()):,}")
    for name, count in sorted(faults.items()):
        print(f"  {name:<28}{count:>12,}")
    print(f"violations       {sum(len(outcome.violations) for outcome in outcomes):,}")
    for outcome in failed[:FAILED_SHOWN]:
        print(f"  seed {outcome.seed}: {outcome.violations[0]} (replay with --seed {outcome.seed})")
        for violation in outcome.violations[1:]:
            print(f"    {violation}")


if __name__ == "__main__":
    sys.exit(main())
