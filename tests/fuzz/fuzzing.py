"""So many requests for every operation, from a seed."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.deployment import Deployment
from tests.fuzz.requests import Drawn, Operation, asked, drawn_for, operations
from tests.fuzz.wallet import Begun, Wallet
from tests.fuzz.watching import Watcher

ROUNDS_MAX = 1_000


@dataclass
class Findings:
    """What a run came to: label of an operation → what was wrong, each with the smallest request that shows it."""

    requests: int = 0
    proven: int = 0
    seconds: float = 0.0
    by_status: dict[int, int] = field(default_factory=dict)
    by_operation: dict[str, int] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> str:
        """For scripts."""
        told = vars(self) | {"by_status": {str(s): n for s, n in sorted(self.by_status.items())}}
        return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def fuzz(
    deployment: Deployment, *, requests_min: int, seed: int = 0, only: str = "", shrink: bool = True
) -> Iterator[Findings]:
    """At least so many requests, spread over all operations; the findings so far after each operation."""
    found, watcher, wallet = (
        Findings(),
        Watcher(deployment),
        Wallet(deployment.keys, deployment.poster, Begun(deployment.keys)),
    )
    kept, began = deployment.kept(), time.monotonic()
    all_operations = [one for one in operations() if only in one.label]
    parts = sum(map(_weight, all_operations))
    for number in range(ROUNDS_MAX):
        for operation in all_operations:
            before = watcher.requests
            share = -(-requests_min * _weight(operation) // parts)
            _one(operation, watcher, wallet, found, share, seed + number, shrink=shrink)
            done = watcher.requests - before
            found.by_operation[operation.label] = found.by_operation.get(operation.label, 0) + done
            found.requests, found.proven = watcher.requests, watcher.proven
            found.by_status, found.seconds = watcher.by_status, time.monotonic() - began
            yield found
        if found.requests >= requests_min or found.faults:
            break
    if deployment.kept() != kept:
        found.faults["all"] = f"what nobody may touch has changed: {_difference(kept, deployment.kept())}"
        yield found


def _weight(operation: Operation) -> int:
    """The doors for servers read bodies, of which there are more kinds."""
    return 1 if operation.path.startswith("/link/") else 4


def _difference(before: dict[str, Any], after: dict[str, Any]) -> str:
    return str({name: before[name] ^ after[name] for name in before})[:2_000]


def _one(
    operation: Operation,
    watcher: Watcher,
    wallet: Wallet,
    found: Findings,
    examples: int,
    seed: int,
    *,
    shrink: bool,
) -> None:
    """One operation's share. The first fault is made as small as it gets."""

    @hypothesis.seed(seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @given(drawn_for(operation))
    def holds(drawn: Drawn) -> None:
        request = asked(drawn, wallet)
        faults = watcher.faults(request, drawn.case)
        if faults:
            raise AssertionError(f"{faults}\nproof: {drawn.proof}\n{str(request)[:3_000]}")

    try:
        holds()
    except Exception as error:  # noqa: BLE001 — a fuzzer that stumbles itself has found something as well
        found.faults[operation.label] = str(error)
