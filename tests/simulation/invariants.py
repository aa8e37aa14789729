"""What must be true of every world, whatever struck it."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator

from functions.domain.audits import finding_of
from functions.domain.customers import rebuilt
from functions.domain.instants import in_daily_window
from functions.domain.sends import CLAIM_OUTLIVES, SendRecord
from functions.ports import Rejected
from tests.simulation.witness import Acceptance
from tests.simulation.world import SimulatedWorld


def violations_along_the_way(world: SimulatedWorld) -> Iterator[str]:
    """What can be said at any moment."""
    yield from _memberships(world, at_the_end=False)


def violations_at_the_end(world: SimulatedWorld) -> Iterator[str]:
    """What can be said when everything has drained."""
    yield from _copies(world)
    yield from _caps(world)
    yield from _forbidden(world)
    yield from _accounts(world)
    yield from _memberships(world, at_the_end=True)
    yield from _events(world)


def _name(accepted: Acceptance) -> str:
    intent = accepted.intent
    return f"{intent.send_id[:8]} ({intent.message}, {intent.source}/{intent.step}) to {accepted.user}"


def _copies(world: SimulatedWorld) -> Iterator[str]:
    """The same step of the same passage counts as the same message for as long as its claim lives."""
    seen: dict[tuple[str, str, str], Acceptance] = {}
    for accepted in world.witness.accepted:
        key = accepted.user, accepted.intent.passage, accepted.intent.step
        earlier = seen.get(key)
        if earlier and accepted.at < earlier.intent.expires_at + CLAIM_OUTLIVES:
            yield f"two copies: {_name(accepted)}, first at {earlier.at}, again at {accepted.at}"
        seen[key] = accepted


def _caps(world: SimulatedWorld) -> Iterator[str]:
    """A worker decided at some instant between taking the message up and LINE's taking it in, by its own clock."""
    wrong = dt.timedelta(seconds=2 * world.faults.clocks_apart)
    by_user: dict[str, list[Acceptance]] = defaultdict(list)
    for accepted in world.witness.accepted:
        earlier = by_user[accepted.user]
        for cap in accepted.book.caps:
            window = dt.timedelta(seconds=cap.window_seconds) - wrong
            if accepted.intent.kind in cap.kinds:
                inside = [
                    one
                    for one in earlier
                    if one.intent.kind in cap.kinds and accepted.at < one.begun_at + window
                ]
                if len(inside) >= cap.limit:
                    yield f"cap {cap.id} exceeded: {_name(accepted)} at {accepted.at} after {len(inside)} others"
        earlier.append(accepted)


def _forbidden(world: SimulatedWorld) -> Iterator[str]:
    wrong = dt.timedelta(seconds=world.faults.clocks_apart)
    for one in world.witness.accepted:
        quiet, kind = one.book.quiet_hours, one.intent.kind
        if quiet and kind in quiet.kinds:
            instants = (one.begun_at - wrong, one.begun_at + wrong, one.at - wrong, one.at + wrong)
            if all(in_daily_window(at, quiet.start, quiet.end, one.book.zone) for at in instants):
                yield f"in quiet hours: {_name(one)} at {one.at}"
        if one.held_out:
            yield f"held out: {_name(one)}"
        refused = one.owner and world.witness.refused_to(one.owner, one.facts, one.book, kind)
        if refused:
            yield f"forbidden ({refused}): {_name(one)} at {one.at}"


def _accounts(world: SimulatedWorld) -> Iterator[str]:
    """Everyone targeted has one end, and the end is not less than what LINE saw."""
    records: dict[str, list[SendRecord]] = defaultdict(list)
    for record in world.records():
        records[record.send_id].append(record)
    accepted = {one.intent.send_id: one for one in world.witness.accepted}
    for send_id, intent in world.witness.intents.items():
        if send_id not in records:
            yield f"lost: {send_id[:8]} ({intent.message}, {intent.source}/{intent.step}) has no end"
    for send_id, ends in records.items():
        if len(ends) > 1:
            yield f"{len(ends)} ends: {send_id[:8]}: {[(one.customer_id, one.status, one.reason) for one in ends]}"
        for end in ends:
            if end.status == "sent" and send_id not in accepted:
                yield f"recorded as sent, never accepted: {send_id[:8]} ({end.message})"
            if end.status in ("suppressed", "failed") and send_id in accepted:
                yield f"recorded as {end.status} ({end.reason}), yet accepted: {_name(accepted[send_id])}"
    yield from _targeted(world, records)


def _targeted(world: SimulatedWorld, records: dict[str, list[SendRecord]]) -> Iterator[str]:
    targeted = Counter(world.runs.targeted)
    for customer_id in sorted(world.customers.customer_bodies):
        targeted.update(world.customer(customer_id).intended)
    ended = Counter(ends[0].run or ends[0].scenario for ends in records.values())
    for source in sorted(targeted.keys() | ended.keys()):
        if targeted[source] != ended[source]:
            yield f"the accounts of {source} do not close: {targeted[source]} targeted, {ended[source]} ended"


def _memberships(world: SimulatedWorld, *, at_the_end: bool) -> Iterator[str]:
    current = world.playbooks.in_force()
    for customer_id in sorted(world.customers.customer_bodies):
        customer = world.customer(customer_id)
        try:
            kept_under = world.playbooks.version(customer.segments_of) if customer.segments_of else None
        except Rejected:
            kept_under = None
        finding, difference = finding_of(customer, current, kept_under, world.now)
        if finding == "different":
            yield f"memberships of {customer_id} differ from a full recompute: {difference}"
        if at_the_end and finding == "overdue":
            yield f"nobody woke {customer_id}"
        if at_the_end and finding == "behind" and customer.segments_of:
            yield f"{customer_id} was never refreshed under the playbook in force"


def _events(world: SimulatedWorld) -> Iterator[str]:
    """No event is lost, and each profile is the fold of its history."""
    for identity, customer_id in world.witness.events.items():
        if not world.events.has(customer_id, identity):
            yield f"event {identity} of {customer_id} is lost"
    current = world.playbooks.in_force()
    for customer_id in sorted(world.customers.customer_bodies):
        customer = world.customer(customer_id)
        if customer.merged_into or customer.refold:
            continue
        expected = rebuilt(customer, world.decide._all_of(customer), current).profile
        if expected != customer.profile:
            yield f"the profile of {customer_id} is not the fold of its history: {customer.profile} ≠ {expected}"
