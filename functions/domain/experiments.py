"""Experiments and holdouts: who gets what, from stable buckets.

A person's bucket in an experiment is a sha256 modulo 10,000: of the experiment's name, U+001F and the unit, as UTF-8;
its first eight bytes as a big-endian number. The unit is the id under which the person was first known. Each name
shuffles people anew, so that experiments do not depend on each other; and anybody can work out the same bucket.
"""

import hashlib
from collections.abc import Mapping

from functions.domain import playbook as pb

BUCKETS = 10_000
_HOLDOUT = "holdout:"
"""No experiment's name has a colon, so that no holdout follows an experiment's buckets."""


def bucket(name: str, unit: str) -> int:
    """0 … 9,999: the same for a name and a unit, always and everywhere."""
    digest = hashlib.sha256(f"{name}\x1f{unit}".encode()).digest()
    return int.from_bytes(digest[:8]) % BUCKETS


def variant_at(variants: Mapping[str, int], number: int) -> str:
    """The variant of a bucket: the buckets in a row, parted by weight among the variants in the order of their names."""
    total, reached = sum(variants.values()), 0
    for name, weight in sorted(variants.items()):
        reached += weight
        if number * total < reached * BUCKETS:
            return name
    raise ValueError(f"bucket {number} is none of {BUCKETS}")


def variant_of(split: pb.Split, experiment: pb.Experiment, assignments: Mapping[str, str], unit: str) -> str:
    """The arm that was assigned once; who was never assigned, or to what is no arm any more, is by the weights."""
    assigned = assignments.get(split.experiment, "")
    if any(name == assigned for name, _ in split.arms):
        return assigned
    return variant_at(experiment.variants, bucket(split.experiment, unit))


def _is_within(percent: float, name: str, unit: str) -> bool:
    return bucket(f"{_HOLDOUT}{name}", unit) * 100 < percent * BUCKETS


def is_held_out(playbook: pb.Playbook, source: str, kind: pb.Kind, unit: str) -> bool:
    """Whether a person gets no message of this kind, of the whole account or of this scenario or campaign.

    A source's own holdout leaves support alone, unless the account's lists it. Who is held out at a percentage is held
    out at every higher one.
    """
    listed = playbook.holdout.kinds if playbook.holdout else []
    if playbook.holdout and kind in listed and _is_within(playbook.holdout.percent, "", unit):
        return True
    if kind == "support" and kind not in listed:
        return False
    own = playbook.scenarios.get(source) or playbook.campaigns.get(source)
    return own is not None and _is_within(own.holdout_percent, source, unit)
