"""What is true of a customer beside the gate, at the instant of a decision: the same for a send and for a forecast."""

from collections.abc import Mapping

from functions.domain.account import Account, scopes_of, stale_sources
from functions.domain.arbitration import Upcoming
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer, pinned_versions
from functions.domain.eligibility import eligibility
from functions.domain.experiments import is_held_out
from functions.domain.instants import Instant
from functions.domain.journeys import upcoming
from functions.domain.playbook import Kind
from functions.domain.preferences import chosen_hours
from functions.domain.sends import Intent
from functions.domain.verdicts import Situation

NOTHING_KNOWN = Account()


def versions_needed(intent: Intent, customer: Customer) -> set[str]:
    """The playbook versions that a decision on the intent reads, beside the one in force."""
    return {intent.playbook, *pinned_versions(customer)}


def situation_of(
    intent: Intent,
    customer: Customer,
    current: Compiled,
    versions: Mapping[str, Compiled],
    now: Instant,
    account: Account = NOTHING_KNOWN,
) -> Situation:
    """The situation in which the gate decides. `versions` holds all of `versions_needed`."""
    pinned = versions[intent.playbook]
    found = eligibility(intent, customer.profile, pinned, now)
    capped = current.is_capped(intent.kind, intent.category)
    scopes = scopes_of(intent, current.playbook, pinned.playbook)
    return Situation(
        eligible=found.eligible and not _was_cut_short(intent, customer),
        confirmed=found.confirmed,
        zone=customer.profile.zone,
        chosen_hours=chosen_hours(customer.profile),
        upcoming=_upcoming(customer, current, versions, account, now) if capped else [],
        blocks=[block for block in account.blocks if block.concerns(intent.kind, scopes, now)],
        switched_off=not current.is_on(intent.scenario, intent.campaign),
        excluded=current.excluding(intent.kind, customer.profile, now),
        holdout=_is_held_out(intent.scenario or intent.campaign, intent.kind, customer, pinned, current),
        stale=_stale(intent, pinned, current, account, now),
    )


def _was_cut_short(intent: Intent, customer: Customer) -> bool:
    """Whether the journey that the intent comes from has ended before its steps did, or gave way to another one."""
    mine = (journey for journey in customer.journeys if journey.journey_id == intent.journey)
    return any(journey.status in ("exited", "goal") for journey in mine)


def _is_held_out(source: str, kind: Kind, customer: Customer, pinned: Compiled, current: Compiled) -> bool:
    """By the playbook in force; what that no longer has runs out as it began."""
    known = source in current.playbook.scenarios or source in current.playbook.campaigns
    return is_held_out((current if known else pinned).playbook, source, kind, customer.unit)


def _upcoming(
    customer: Customer, current: Compiled, versions: Mapping[str, Compiled], account: Account, now: Instant
) -> list[Upcoming]:
    """The sends that the customer's journeys come to within the longest window of any cap, and that may go at all."""
    until, zone = now + current.longest_window, customer.profile.zone
    stopped = {block.scope for block in account.blocks if block.until > now and not block.kinds}
    return [
        send
        for journey in customer.journeys
        if journey.active
        and current.is_on(journey.scenario, "")
        and f"scenario:{journey.scenario}" not in stopped
        for own in (versions[journey.version],)
        for send in upcoming(
            journey, own.playbook.scenarios[journey.scenario], own.playbook.messages, zone, until
        )
        if not _is_held_out(journey.scenario, send.kind, customer, own, current)
    ]


def _stale(intent: Intent, pinned: Compiled, current: Compiled, account: Account, now: Instant) -> list[str]:
    """By the playbook in force; what it no longer has goes by the one that it was made with."""
    for playbook in (current.playbook, pinned.playbook):
        source = playbook.scenarios.get(intent.scenario) or playbook.campaigns.get(intent.campaign)
        if source is not None:
            return stale_sources(source.needs, playbook.sources, account, now, playbook.zone)
    return []
