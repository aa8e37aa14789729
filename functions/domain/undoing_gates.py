"""The gates of both after a merge was undone: facts go to whom they belong, and what was sent counts for both."""

from collections.abc import Collection, Sequence

import msgspec

from functions.domain.events import Event
from functions.domain.gate import Gate, merged, with_facts
from functions.domain.instants import Instant
from functions.domain.registers import Register, facts_union

Registers = dict[str, Register]


def customers_gate(
    gate: Gate, before: Gate, friend_before: Gate, own: Sequence[Event], friends: Sequence[Event]
) -> Gate:
    """The customer's gate without the friend's consent and cases; every contact and claim stays.

    `before` are the gates before the tie, `own` and `friends` the histories of both.
    """
    brought = with_facts(friend_before, friends)
    said = with_facts(Gate(gate.customer_id), own)
    known = before if before.customer_id == gate.customer_id else Gate(gate.customer_id)
    rest = msgspec.structs.replace(
        gate,
        consent=_less(gate.consent, brought.consent),
        cases={flag: _less(mine, brought.cases.get(flag, {})) for flag, mine in gate.cases.items()},
    )
    for facts in (known, said):
        rest = merged(rest, Gate(gate.customer_id, consent=facts.consent, cases=facts.cases))
    return msgspec.structs.replace(rest, cases={flag: mine for flag, mine in rest.cases.items() if mine})


def _less(registers: Registers, brought: Registers) -> Registers:
    return {name: one for name, one in registers.items() if brought.get(name) != one}


def friends_gate(
    fresh: Gate,
    gate: Gate,
    friend_before: Gate,
    users: Collection[str],
    tied_at: Instant,
    history: Sequence[Event],
) -> Gate:
    """The friend's gate with every contact of the time as one person, and the claims of what was pushed to its LINE users.

    `fresh` is its gate as if it had just come. An opt-out that came since the tie stays with both: nobody knows which of the
    two said it.
    """
    own = msgspec.structs.replace(
        fresh,
        friends={name: register for name, register in gate.friends.items() if name in users},
        contacts=gate.contacts,
        claims=[claim for claim in gate.claims if claim.to in users],
    )
    known = msgspec.structs.replace(friend_before, link=None, merged_into="")
    whole = with_facts(merged(own, known), history)
    withdrawn = {
        purpose: register
        for purpose, register in gate.consent.items()
        if not register.value and register.at >= tied_at
    }
    return msgspec.structs.replace(whole, consent=facts_union(whole.consent, withdrawn))
