"""`make fuzz REQUESTS=n`: n requests to the HTTP functions; what was found, and build/fuzz.json. 1 where anything was."""

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz.deployment import deployed
from tests.fuzz.fuzzing import Findings, fuzz

BUILD = Path(__file__).resolve().parents[2] / "build"


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="a run again, request for request")
    parser.add_argument("--only", default="", help="operations whose label holds this, such as '/events'")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    found = Findings()
    with deployed() as deployment:
        for found in fuzz(deployment, requests_min=given.requests, seed=given.seed, only=given.only):
            print(f"\r{found.requests:,} of {given.requests:,} requests", end="", flush=True)
    print()
    BUILD.mkdir(exist_ok=True)
    (BUILD / "fuzz.json").write_text(found.as_json(), encoding="utf-8")
    _tell(found)
    return 1 if found.faults else 0


def _tell(found: Findings) -> None:
    for label, number in found.by_operation.items():
        print(f"{label:28}{number:8,}  {'FAULT' if label in found.faults else ''}")
    statuses = ", ".join(f"{status}: {number:,}" for status, number in sorted(found.by_status.items()))
    print(
        f"{found.requests:,} requests, {found.proven:,} with a right proof; {statuses}; {found.seconds:.0f} s"
    )
    for label, fault in found.faults.items():
        print(f"\n{label}\n{fault}")
    print("nothing found" if not found.faults else f"{len(found.faults)} operations with faults")


if __name__ == "__main__":
    sys.exit(main())
