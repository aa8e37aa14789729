"""The part of decide that lets the gate know: opt-outs, consent, cases and friendship, before anything else happens."""

from collections.abc import Sequence
from dataclasses import dataclass

from functions.decide.changing import ATTEMPTS_MAX, first_gate
from functions.domain.events import Event
from functions.domain.gate import concerns_gate, with_facts
from functions.ports.customers import Customers
from functions.ports.errors import Conflict


@dataclass(frozen=True, slots=True)
class NoteFacts:
    """The ports of this part."""

    customers: Customers

    def note(self, customer_id: str, events: Sequence[Event]) -> str:
        """What of these is a fact goes into the gate, and again on a redelivery.

        Returns whose gate it was: a friend may have been merged into a customer meanwhile.
        """
        facts = [event for event in events if concerns_gate(event)]
        if not facts:
            return customer_id
        for _ in range(ATTEMPTS_MAX):
            gate = self.customers.load_gate(customer_id)
            if gate is not None and gate.merged_into:
                customer_id = gate.merged_into
                continue
            changed = with_facts(gate or first_gate(customer_id, facts[0].occurred_at), facts)
            try:
                if changed != gate:
                    self.customers.save_gate(changed)
            except Conflict:
                continue
            return customer_id
        raise Conflict("the gate is contended")
