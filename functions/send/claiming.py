"""Reading, deciding and claiming for many intents at once: each on its own condition, in as few requests as it takes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from functions.domain.account import Block
from functions.domain.claims import Allow, Decision, Verdict, decide
from functions.domain.customers import Customer
from functions.domain.gate import Gate
from functions.domain.instants import Instant
from functions.domain.sends import Intent
from functions.domain.situations import situation_of, versions_needed
from functions.domain.trace import Facts
from functions.domain.verdicts import RECHECK_MIN, Situation, Wait, suppressed
from functions.ports.account import AccountState
from functions.ports.customers import Both, Customers
from functions.ports.errors import Conflict, Retryable
from functions.ports.playbooks import Playbooks
from functions.ports.sending import Sends
from functions.send.allowance import Lease

Unsure = dict[str, Gate]
"""By send id the gate with a claim whose write was answered as a lost race, until somebody has looked again."""

ATTEMPTS_MAX = 8
HOPS_MAX = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """An intent to claim, and the hash of its content. `batch`: the multicast batch that it is claimed for."""

    intent: Intent
    content: str
    batch: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The verdict, which is in the gate already, and what it rested on."""

    verdict: Verdict
    facts: Facts


Result = Claimed | None | Exception
"""What came of one intent: a verdict; None, for its end is on record; or why it must come again."""


@dataclass(frozen=True, slots=True)
class Claiming:
    """The ports of this part."""

    customers: Customers
    sends: Sends
    playbooks: Playbooks
    account_state: AccountState
    now: Callable[[], Instant]

    def read_all(self, customer_ids: Iterable[str]) -> dict[str, Both]:
        """Gate and customer of each, or of whoever the customer was merged into."""
        found: dict[str, Both] = {}
        asked = {one: one for one in customer_ids}
        for _ in range(HOPS_MAX):
            loaded = self.customers.load_many(sorted(set(asked.values())))
            found |= {one: loaded[owner] for one, owner in asked.items()}
            gates = {one: found[one][0] for one in asked}
            asked = {one: gate.merged_into for one, gate in gates.items() if gate and gate.merged_into}
            if not asked:
                return found
        raise Conflict("customers are merged in a circle")

    def claim_all(self, wanted: Sequence[Wanted], lease: Lease) -> dict[str, Result]:
        """Decide on each, and write what was decided, by send id. What is newly claimed has its unit of the lease.

        A gate that was changed meanwhile is read again. Intents of one customer take turns: each sees those before it.
        """
        results = self._claim_all(wanted, lease)
        for one in wanted:
            if not _may_be_claimed(results[one.intent.send_id]):
                lease.give_back(one.intent)
        return results

    def _claim_all(self, wanted: Sequence[Wanted], lease: Lease) -> dict[str, Result]:
        results: dict[str, Result] = {}
        unsure: Unsure = {}
        waiting = list(wanted)
        for _ in range(ATTEMPTS_MAX + len(wanted)):
            if not waiting:
                return results
            read = self.read_all(one.intent.customer_id for one in waiting)
            turn, later = _one_a_gate(waiting, read)
            for one in turn:
                _look_again(one.intent, read[one.intent.customer_id][0], unsure, lease)
            outcomes = self._claimed(turn, read, lease, unsure)
            results |= {one: result for one, result in outcomes.items() if result is not _OVERTAKEN}
            waiting = [*later, *(one for one in turn if outcomes[one.intent.send_id] is _OVERTAKEN)]
        for one in waiting:
            _look_again(one.intent, None, unsure, lease)
        return results | {one.intent.send_id: Conflict("the gate is contended") for one in waiting}

    def _claimed(
        self, turn: Sequence[Wanted], read: Mapping[str, Both], lease: Lease, unsure: Unsure
    ) -> dict[str, Result]:
        """What came of those whose turn it is, by send id; the overtaken among them, who are `unsure` of their claims."""
        results: dict[str, Result] = {}
        decisions: dict[str, Decision] = {}
        for one in turn:
            gate, customer = read[one.intent.customer_id]
            try:
                decision = self._decided(one, gate, customer, lease)
            except Exception as error:  # noqa: BLE001 — one that cannot be decided comes again; the others go on
                results[one.intent.send_id] = error
                continue
            if decision is None:
                results[one.intent.send_id] = None
                continue
            results[one.intent.send_id] = Claimed(decision.verdict, decision.facts)
            if gate is not None and decision.gate is not gate:
                decisions[one.intent.send_id] = decision
        if decisions:
            written = self.customers.save_gates([decision.gate for decision in decisions.values()])
            refused = dict(zip(decisions, written, strict=True))
            results |= {one: _REFUSED[became] for one, became in refused.items() if became in _REFUSED}
            lost = (one for one, became in refused.items() if became == "overtaken")
            unsure |= {one: decisions[one].gate for one in lost if isinstance(decisions[one].verdict, Allow)}
        return results

    def _decided(
        self, one: Wanted, gate: Gate | None, customer: Customer | None, lease: Lease
    ) -> Decision | None:
        """The decision; None where the end is on record. Its gate is the very one that was read where nothing is to be
        written."""
        intent, now = one.intent, self.now()
        if gate is None or customer is None:
            return self.without_gate(gate, now) or Decision(suppressed("erased"), gate or _NO_GATE)
        claim = gate.claim(intent.send_id)
        if claim and claim.recorded:
            return None
        if claim and claim.state == "open" and claim.batch == one.batch and self.is_recorded(intent):
            return None
        rules = self.playbooks.in_force().rules
        situation = self.situation(intent, customer, now, None if claim else lease.take(intent))
        return decide(intent, gate, rules, situation, one.content, now, one.batch)

    def without_gate(self, gate: Gate | None, now: Instant) -> Decision | None:
        """While the whole account is stopped a missing gate ends nothing: after a loss they are being put back."""
        if not self.account_state.read().is_stopped(now):
            return None
        return Decision(Wait(now + RECHECK_MIN, "stopped"), gate or _NO_GATE)

    def is_recorded(self, intent: Intent) -> bool:
        """Whether the intent has an end in the send log."""
        return self.sends.find(intent.customer_id, intent.made_at, intent.send_id) is not None

    def situation(
        self, intent: Intent, customer: Customer, now: Instant, refusal: Block | None = None
    ) -> Situation:
        """What is true beside the gate. `refusal`: why the allowance has no unit for it."""
        versions = {name: self.playbooks.version(name) for name in versions_needed(intent, customer)}
        account = self.account_state.read()
        if refusal is not None:
            account = msgspec.structs.replace(account, blocks=[*account.blocks, refusal])
        return situation_of(intent, customer, self.playbooks.in_force(), versions, now, account)

    def change_all(
        self, intents: Sequence[Intent], change: Callable[[Gate, Intent], Gate]
    ) -> dict[str, Exception]:
        """Change the gate of each on condition that nobody else did; a lost race starts over. No gate, no change.

        What could not be changed, by send id, and why.
        """
        waiting = [Wanted(intent, "") for intent in intents]
        for _ in range(ATTEMPTS_MAX + len(intents)):
            if not waiting:
                return {}
            read = self.read_all(one.intent.customer_id for one in waiting)
            turn, later = _one_a_gate(waiting, read)
            waiting = [*later, *self._changed(turn, read, change)]
        return {one.intent.send_id: Conflict("the gate is contended") for one in waiting}

    def _changed(
        self, turn: Sequence[Wanted], read: Mapping[str, Both], change: Callable[[Gate, Intent], Gate]
    ) -> list[Wanted]:
        """Those whose change was not written."""
        changes: list[tuple[Wanted, Gate]] = []
        for one in turn:
            gate = read[one.intent.customer_id][0]
            changed = change(gate, one.intent) if gate else None
            if changed is not None and changed != gate:
                changes.append((one, changed))
        written = self.customers.save_gates([gate for _, gate in changes]) if changes else []
        return [one for (one, _), became in zip(changes, written, strict=True) if became != "written"]


_NO_GATE = Gate("")
_OVERTAKEN: Exception = Conflict("somebody else was first")
_REFUSED: dict[str, Exception] = {"overtaken": _OVERTAKEN, "undone": Retryable("the gates are throttled")}


def _may_be_claimed(result: Result) -> bool:
    """Whether a claim may stand in the gate that the unit was taken for."""
    if isinstance(result, Claimed):
        return isinstance(result.verdict, Allow)
    return result is _REFUSED["undone"]


def _look_again(intent: Intent, found: Gate | None, unsure: Unsure, lease: Lease) -> None:
    """Whose is the unit, now that the gate is read again after a lost race?

    A write that was done and not answered is repeated by the driver, and then loses against itself: the claim stands, and
    others may have gone on from it. The unit is free only where the gate shows that somebody else wrote instead.
    """
    written = unsure.pop(intent.send_id, None)
    if written is None:
        return
    if found is None or not _somebody_else_wrote(written, found, intent.send_id):
        lease.leave(intent)
    elif found.claim(intent.send_id):
        lease.give_back(intent)  # what another claimed has a unit of its own


def _somebody_else_wrote(written: Gate, found: Gate, send_id: str) -> bool:
    """One write at most has come since the gate was read, and it is not ours. After two nobody can tell any more."""
    is_next = found.customer_id == written.customer_id and found.version <= written.version + 1
    return is_next and found.claim(send_id) != written.claim(send_id)


def _one_a_gate(waiting: Sequence[Wanted], read: Mapping[str, Both]) -> tuple[list[Wanted], list[Wanted]]:
    """The first intent of each gate, and those that wait for their turn."""
    turn: dict[str, Wanted] = {}
    later: list[Wanted] = []
    for one in waiting:
        gate = read[one.intent.customer_id][0]
        owner = gate.customer_id if gate else f"?{one.intent.send_id}"
        if owner in turn:
            later.append(one)
        else:
            turn[owner] = one
    return list(turn.values()), later
