"""What a forecast counts. Counts of any part of the customers add up to the counts of all."""

from collections import Counter
from dataclasses import dataclass, field, fields


def _counter() -> Counter[tuple[str, ...]]:
    return Counter()


@dataclass(slots=True)
class Tally:
    """Days are local dates of the playbook's zone (`2026-11-02`), months `2026-11`; a source is a scenario or campaign.

    `people` by what they are (all, reachable); `entered` by (day, scenario); `targeted` by (day, source); `sent` by
    (day, source, kind); `held` and `suppressed` by (day, source, reason), a message once for each reason that held it;
    `waiting` by (source,): neither sent nor given up when the days are over; `size` and `size_after` by (segment,), at
    the beginning and at the end; `sent_before` by (month,): what was sent in the month before the forecast begins.
    """

    people: Counter[tuple[str, ...]] = field(default_factory=_counter)
    entered: Counter[tuple[str, ...]] = field(default_factory=_counter)
    targeted: Counter[tuple[str, ...]] = field(default_factory=_counter)
    sent: Counter[tuple[str, ...]] = field(default_factory=_counter)
    held: Counter[tuple[str, ...]] = field(default_factory=_counter)
    suppressed: Counter[tuple[str, ...]] = field(default_factory=_counter)
    waiting: Counter[tuple[str, ...]] = field(default_factory=_counter)
    size: Counter[tuple[str, ...]] = field(default_factory=_counter)
    size_after: Counter[tuple[str, ...]] = field(default_factory=_counter)
    sent_before: Counter[tuple[str, ...]] = field(default_factory=_counter)

    def add(self, other: "Tally") -> None:
        """Count in what was counted of other customers."""
        for one in fields(self):
            getattr(self, one.name).update(getattr(other, one.name))


def summed(counts: Counter[tuple[str, ...]], *places: int) -> Counter[tuple[str, ...]]:
    """The counts by some places of their keys only, summed over the rest."""
    result = _counter()
    for key, count in counts.items():
        result[tuple(key[place] for place in places)] += count
    return result
