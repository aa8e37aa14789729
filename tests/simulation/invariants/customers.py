"""What a customer is, beside what happened to it: memberships, profile, journeys, experiments, the menu it sees."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator

from functions.decide.histories import history_of
from functions.domain import playbook as pb
from functions.domain.audits import finding_of
from functions.domain.customers import rebuilt
from functions.domain.journeys import SEGMENT_REENTRY_SECONDS_MIN, Journey, fingerprint
from functions.domain.line_events import is_anonymous
from functions.ports.errors import Rejected
from tests.simulation.world import SimulatedWorld

LATE = dt.timedelta(days=1)
DAY_SECONDS = 86_400


def memberships_are_a_recompute(world: SimulatedWorld, *, at_the_end: bool) -> Iterator[str]:
    """Incremental membership is what a full recompute says; at the end nobody is behind or was forgotten."""
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


def events_kept(world: SimulatedWorld) -> Iterator[str]:
    """No event that was taken in is lost."""
    for identity, event in world.witness.events.items():
        owners = {event.customer_id, _became(world, event.customer_id)}
        if not any(world.events.has(owner, identity) for owner in owners):
            yield f"event {identity} of {event.customer_id} is lost"


def _became(world: SimulatedWorld, customer_id: str) -> str:
    """Whom the CRM made of a customer."""
    customer = world.customers.load(customer_id)
    while customer is not None and customer.merged_into:
        customer_id = customer.merged_into
        customer = world.customers.load(customer_id)
    return customer_id


def profiles_are_folds(world: SimulatedWorld) -> Iterator[str]:
    """Each profile is the fold of its history under the dictionary in force."""
    current = world.playbooks.in_force()
    for customer_id in sorted(world.customers.customer_bodies):
        customer = world.customer(customer_id)
        if customer.merged_into or customer.refold:
            continue
        history = history_of(world.events, customer)
        expected = rebuilt(customer, history.events, current, history.bases).profile
        if expected != customer.profile:
            yield f"the profile of {customer_id} is not the fold of its history: {customer.profile} ≠ {expected}"


def orders_counted(world: SimulatedWorld) -> Iterator[str]:
    """How many orders a customer has, counted without any fold: the confirmed ones that were not taken back."""
    correction = world.book.events.get("order_cancelled")
    corrects = correction is not None and correction.amends is not None
    orders: dict[str, set[str]] = defaultdict(set)
    cancelled: set[tuple[str, str]] = set()
    for event in world.witness.events.values():
        order = str(event.properties.get("order_id", ""))
        if event.name == "order_cancelled" and corrects:
            cancelled.add((_became(world, event.customer_id), order))
    for identity, event in world.witness.events.items():
        owner = _became(world, event.customer_id)
        key = owner, str(event.properties.get("order_id", ""))
        if event.name == "purchase" and event.status == "confirmed" and key not in cancelled:
            orders[owner].add(identity)
    for customer_id in sorted(world.customers.customer_bodies):
        if is_anonymous(customer_id) or world.customer(customer_id).merged_into:
            continue
        tally = world.customer(customer_id).profile.tallies.get("orders")
        counted = tally.count if tally else 0
        if counted != len(orders[customer_id]):
            yield f"{customer_id} has {len(orders[customer_id])} orders, and counts {counted}"


def journeys_as_allowed(world: SimulatedWorld) -> Iterator[str]:
    """Nobody enters a scenario more often than its re-entry rule says, twice by one cause, or by history."""
    witness = world.witness
    imported = {fingerprint(identity): identity for identity in witness.events.keys() - witness.live}
    for customer_id, journeys in sorted(witness.journeys.items()):
        by_scenario: dict[str, list[Journey]] = defaultdict(list)
        for journey in journeys:
            if journey.trigger in imported:
                yield f"{customer_id} entered {journey.scenario} by history: {imported[journey.trigger]}"
            if not is_anonymous(customer_id) and customer_id not in witness.parted:
                yield from _entered(world, customer_id, journey, by_scenario[journey.scenario])
            if journey.journey_id not in witness.given_back:
                by_scenario[journey.scenario].append(journey)


def _entered(
    world: SimulatedWorld, customer_id: str, journey: Journey, earlier: list[Journey]
) -> Iterator[str]:
    """The friend that somebody was before may have entered it too: only what the customer itself entered is counted."""
    if not earlier:
        return
    scenario = world.playbooks.version(journey.version).playbook.scenarios[journey.scenario]
    told = f"{customer_id} entered {journey.scenario} again at {journey.entered_at}"
    if any(one.trigger == journey.trigger for one in earlier):
        yield f"{told}, by the same cause"
    if scenario.reentry_seconds is None:
        yield f"{told}, which is allowed once"
        return
    seconds = max(scenario.reentry_seconds, SEGMENT_REENTRY_SECONDS_MIN if scenario.entry.segment else 0)
    last = max(one.entered_at for one in earlier)
    if journey.entered_at - last < dt.timedelta(seconds=seconds):
        yield f"{told}, {seconds} s are to pass after {last}"


def journeys_ended(world: SimulatedWorld) -> Iterator[str]:
    """Every journey comes to its end within the sum of its waits."""
    longest = max(
        (_longest(one) for _, book in world.books for one in book.scenarios.values()), default=dt.timedelta()
    )
    for customer_id in sorted(world.customers.customer_bodies):
        for journey in world.customer(customer_id).journeys:
            if journey.active and journey.entered_at + longest + LATE < world.now:
                yield f"{customer_id} never came to the end of {journey.scenario}, entered at {journey.entered_at}"


def _longest(scenario: pb.Scenario) -> dt.timedelta:
    seconds = 0
    for step in scenario.steps:
        match step:
            case pb.WaitFor(seconds=waited):
                seconds += waited
            case pb.WaitUntilLocal(day=day):
                seconds += ((day or 0) + 1) * DAY_SECONDS
            case pb.WaitForEvent(timeout_seconds=waited) | pb.WaitUntil(timeout_seconds=waited):
                seconds += waited
            case _:
                pass
    return dt.timedelta(seconds=seconds)


def assignments_stay(world: SimulatedWorld) -> Iterator[str]:
    """Whoever was exposed to a variant stays with it, whatever the weights become. Who was one with somebody else, and is
    not any more, has both been in the other's and is in its own."""
    own = {one.journey_id: owner for owner, found in world.witness.journeys.items() for one in found}
    variants: dict[tuple[str, str], set[str]] = defaultdict(set)
    for intent in world.witness.intents.values():
        if intent.variant and own.get(intent.journey) == intent.customer_id:
            experiment, _, variant = intent.variant.partition(":")
            variants[intent.customer_id, experiment].add(variant)
    for (customer_id, experiment), found in variants.items():
        if len(found) > 1 and customer_id not in world.witness.parted:
            yield f"{customer_id} was in {sorted(found)} of the experiment {experiment}"


def menus_shown(world: SimulatedWorld) -> Iterator[str]:
    """Who can be reached sees the rich menu that was wished last, unless LINE refused it for good."""
    for customer_id in sorted(world.customers.customer_bodies):
        customer = world.customer(customer_id)
        user = customer.line_user_id
        if customer.menu is None or not world.gate(customer_id).reaches(user):
            continue
        wanted = world.book.rich_menus.get(str(customer.menu.value), "")
        if world.line.menus.get(user, "") != wanted and user not in world.line.menus_refused:
            yield f"{customer_id} does not see the menu {customer.menu.value!r}"
