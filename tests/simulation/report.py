"""What the simulation has shown, as it grows and as it is printed."""

from collections import Counter

from tests.simulation.every_mutant import EVERY_MUTANT
from tests.simulation.jobs import Crashed, Job, SeedJob
from tests.simulation.run import Outcome

FAILED_SHOWN = 20


class Report:
    """Takes results one by one, and keeps sums and what failed."""

    def __init__(self) -> None:
        self._seeds = 0
        self._points = 0
        self._faults: Counter[str] = Counter()
        self._draws: Counter[str] = Counter()
        self._sends: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._failed: list[Outcome] = []
        self._crashed: list[Crashed] = []
        self._tried: Counter[str] = Counter()
        self._caught: Counter[str] = Counter()
        self._first: dict[str, Outcome] = {}

    def take(self, job: Job, result: Outcome | Crashed) -> None:
        """One more result."""
        if isinstance(result, Crashed):
            self._crashed.append(result)
        elif isinstance(job, SeedJob) and job.mutant:
            self._mutated(job.mutant, result)
        else:
            self._lived(result)

    def _lived(self, outcome: Outcome) -> None:
        self._seeds += 1
        self._points += outcome.points
        self._faults.update(outcome.faults)
        self._draws.update(outcome.draws)
        self._sends.update(outcome.sends)
        self._reasons.update(outcome.reasons)
        if outcome.violations:
            self._failed.append(outcome)

    def _mutated(self, mutant: str, outcome: Outcome) -> None:
        self._tried[mutant] += 1
        if outcome.caught:
            self._caught[mutant] += 1
            self._first.setdefault(mutant, outcome)

    @property
    def violated(self) -> int:
        """How many seeds and stories of the sound flows went wrong."""
        return len(self._failed) + sum(bool(one.fault) for one in self._crashed)

    @property
    def uncaught(self) -> list[str]:
        """The mutants that were tried, and that no seed has caught."""
        return [name for name in EVERY_MUTANT if self._tried[name] and name not in self._first]

    @property
    def failed(self) -> bool:
        """Whether anything was violated, or any mutant not caught."""
        return bool(self.violated or self.uncaught)

    def lines(self) -> list[str]:
        """The whole of it, to be printed."""
        return [*self._sums(), *self._faulty(), *self._stories(), *self._mutants()]

    def _sums(self) -> list[str]:
        ends = ", ".join(f"{number:,} {name}" for name, number in sorted(self._sends.items()))
        return [
            f"seeds            {self._seeds:,}",
            f"crash points     {self._points:,} at random",
            f"messages ended   {sum(self._sends.values()):,} ({ends})",
            *_table("faults injected", self._faults),
            *_table("drawn", self._draws),
            *_table("reasons", self._reasons),
        ]

    def _faulty(self) -> list[str]:
        lines = [f"violations       {sum(len(outcome.violations) for outcome in self._failed):,}"]
        for outcome in self._failed[:FAILED_SHOWN]:
            lines.append(
                f"  seed {outcome.seed}: {outcome.violations[0]} (replay with --seed {outcome.seed})"
            )
            lines += [f"    {violation}" for violation in outcome.violations[1:]]
        return lines

    def _stories(self) -> list[str]:
        points, pairs = sum(one.points for one in self._crashed), sum(one.pairs for one in self._crashed)
        lines = [
            f"crashes          {points:,} points, one by one, and {pairs:,} pairs of {len(self._crashed)} stories"
        ]
        return lines + [f"  {one.story}: {one.fault}" for one in self._crashed if one.fault]

    def _mutants(self) -> list[str]:
        lines = [f"mutants          {len(self._first)} of {len(self._tried)} caught"]
        for name in sorted(self._tried):
            first = self._first.get(name)
            told = f"first by seed {first.seed}: {first.caught[0]}" if first else "NOT CAUGHT"
            lines.append(f"  {name:<28}{self._caught[name]:>4} of {self._tried[name]} seeds, {told:.140}")
        return lines


def _table(title: str, counts: Counter[str]) -> list[str]:
    return [
        f"{title:<17}{sum(counts.values()):,}",
        *(f"  {name:<28}{count:>12,}" for name, count in sorted(counts.items())),
    ]
