"""The facts that a decision rested on, in words. Their names and shapes: `functions.domain.trace`."""

from collections.abc import Iterator
from typing import Any

Facts = dict[str, Any]

_LISTED = {
    "given": "consent to {}",
    "withdrawn": "consent withdrawn: {}",
    "open": "open: {}",
    "excluded": "excluded by {}",
    "stale": "no fresh data from {}",
}
_FLAGS = {
    "ineligible": "its reason to be sent was gone",
    "provisional": "something not yet confirmed would stop it",
    "holdout": "held out for comparison",
    "off": "its source was switched off",
    "overtaken": "a later step of the journey was due by then",
}


def fact_words(facts: Facts) -> list[str]:
    """One phrase a fact. The rank is told where something better took the slot."""
    told = [f"{facts['local']} on their clock ({facts['zone']})"] if "local" in facts else []
    told += [phrase.format(", ".join(facts[name])) for name, phrase in _LISTED.items() if name in facts]
    told += [phrase for name, phrase in _FLAGS.items() if facts.get(name)]
    told += [
        f"{reason} for {scope} until {until or 'it is lifted'}"
        for reason, scope, until in facts.get("blocks", [])
    ]
    return [*told, *_caps(facts), *_better(facts)]


def _caps(facts: Facts) -> Iterator[str]:
    for cap, (number, *instants) in facts.get("counted", {}).items():
        newest = f" (newest {instants[-1]})" if instants else ""
        yield f"{number} counted against {cap}{newest}"


def _better(facts: Facts) -> Iterator[str]:
    for at, kind, rank in facts.get("better", []):
        yield f"a {kind} of rank {rank} at {at} goes before its own rank {facts.get('rank', 0)}"
