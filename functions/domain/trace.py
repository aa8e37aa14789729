"""What a decision rested on, small enough to stand beside it in the send log: names of the playbook, instants, counts.

Never a text about a person: purposes and sources are those that the playbook names.
"""

from typing import Any
from zoneinfo import ZoneInfo

from functions.domain.caps import counted, counts
from functions.domain.gate import Contact, Gate
from functions.domain.instants import Instant, format_instant
from functions.domain.playbook import Cap
from functions.domain.sends import Intent
from functions.domain.verdicts import (
    Ended,
    Rules,
    Situation,
    Wait,
    better_ones,
    open_cases,
    purposes_heeded,
)

Facts = dict[str, Any]

CAPS_MAX = 6
NAMED_MAX = 4
BLOCKS_MAX = 2
INSTANTS_MAX = 3


def facts_of(
    intent: Intent, gate: Gate, rules: Rules, situation: Situation, now: Instant, refused: Wait | Ended | None
) -> Facts:
    """What the decision rested on; what is empty or as usual is left out.

    `local` the customer's clock and `zone`; `rank`; `given`, `withdrawn` the purposes of consent that concern the
    message; `open` cases that stop it; `excluded`, `stale` names; `provisional`, `ineligible`, `holdout`, `off`,
    `overtaken` true; `blocks` (reason, scope, until); `counted` cap → (how many count, the newest instants);
    `better` what it yields to, where it was outranked: (instant, kind, rank).
    """
    known = {name: gate.consent[name] for name in purposes_heeded(intent, rules) if name in gate.consent}
    found: Facts = {
        "local": now.astimezone(ZoneInfo(situation.zone)).isoformat(timespec="minutes"),
        "zone": situation.zone,
        "rank": intent.rank,
        "given": [name for name, register in known.items() if register.value],
        "withdrawn": [name for name, register in known.items() if not register.value],
        "open": open_cases(intent, gate, rules),
        "excluded": situation.excluded[:NAMED_MAX],
        "stale": situation.stale[:NAMED_MAX],
        "ineligible": not situation.eligible,
        "provisional": situation.eligible and not situation.confirmed,
        "holdout": situation.holdout,
        "off": situation.switched_off,
        "overtaken": intent.overtaken,
        "blocks": _blocks(situation, now),
        "counted": _counted(intent, gate, rules, situation, now),
    }
    if refused is not None and refused.reason == "outranked":
        better = better_ones(intent, gate, rules, situation, now)
        found["better"] = [[_told(one.at), one.kind, one.rank] for one in better[:INSTANTS_MAX]]
    return {name: value for name, value in found.items() if value not in (False, [], {})}


def _blocks(situation: Situation, now: Instant) -> list[list[str]]:
    """Those that last longest. The end of one that only lifting ends is told as an empty text."""
    concerned = [block for block in situation.blocks if block.until > now]
    longest = sorted(concerned, key=lambda block: block.until, reverse=True)[:BLOCKS_MAX]
    return [
        [block.reason, block.scope, "" if block.is_open_ended else _told(block.until)] for block in longest
    ]


def _counted(
    intent: Intent, gate: Gate, rules: Rules, situation: Situation, now: Instant
) -> dict[str, list[int | str]]:
    mine = [cap for cap in rules.caps if counts(cap, intent.kind, intent.category)]
    return {cap.id: _count(cap, gate.contacts, situation.zone, now) for cap in mine[:CAPS_MAX]}


def _count(cap: Cap, contacts: list[Contact], zone: str, now: Instant) -> list[int | str]:
    inside = counted(cap, contacts, zone, now)
    return [len(inside), *(_told(one.at) for one in inside[-INSTANTS_MAX:])]


def _told(instant: Instant) -> str:
    return format_instant(instant.replace(microsecond=0))
