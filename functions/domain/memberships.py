"""Which segments a customer is in: kept with the customer, renewed by every change, and true until `segments_due`."""

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from functions.domain.compiled import Compiled
from functions.domain.customers import Customer, has_folded
from functions.domain.instants import Instant
from functions.domain.tracking import SegmentChange, members, next_change_of

_MOMENT = dt.timedelta(microseconds=1)


def is_due(customer: Customer, at: Instant) -> bool:
    """Whether time has changed a membership by `at`."""
    return customer.segments_due is not None and customer.segments_due <= at


def evaluated(
    customer: Customer, current: Compiled, at: Instant, since: Instant | None = None
) -> tuple[Customer, list[SegmentChange]]:
    """The customer with its memberships as they are at `at`, and what it entered and left.

    What is known already is not looked at anew: an event that comes late counts from when the memberships were last
    true. `since` is when it happened.
    """
    at = max(at, customer.evaluated_at or at)
    tracked = current.tracked
    now_in, before = members(customer.profile, tracked.values(), at), set(customer.segments)
    cause = at if since is None else since
    changes = [
        SegmentChange(key, tracked[key].names, "entered", at, cause) for key in now_in if key not in before
    ]
    changes += [
        SegmentChange(key, tracked[key].names, "left", at, cause) for key in sorted(before - set(now_in))
    ]
    due = next_change_of(customer.profile, tracked.values(), at)
    customer = msgspec.structs.replace(
        customer, segments=now_in, segments_of=current.version, evaluated_at=at, segments_due=due
    )
    return customer, changes


def baselined(customer: Customer, current: Compiled, known: Collection[str], until: Instant) -> Customer:
    """The customer under this playbook, member from the outset of all new segments that hold: nobody enters a segment
    because it was defined.

    `known` are the hashes under which the memberships were kept so far. The new ones are looked at when the known ones
    were last true, so that a change by time which comes next, of old and new segments alike, is still a change.
    """
    at = _last_true(customer, until)
    new = [one for key, one in current.tracked.items() if key not in known]
    kept = [key for key in customer.segments if key in known and key in current.tracked]
    dues = (customer.segments_due if known else None, next_change_of(customer.profile, new, at))
    return msgspec.structs.replace(
        customer,
        segments=sorted([*kept, *members(customer.profile, new, at)]),
        segments_of=current.version,
        evaluated_at=at,
        segments_due=min((due for due in dues if due is not None), default=None),
    )


def _last_true(customer: Customer, until: Instant) -> Instant:
    """The last instant, no later than `until`, at which the memberships are as they are kept."""
    if customer.evaluated_at is None:
        return until
    if is_due(customer, until):
        assert customer.segments_due is not None
        until = customer.segments_due - _MOMENT
    return max(until, customer.evaluated_at)


class Recompute(NamedTuple):
    """What the memberships should be, beside what is kept. `is_late`: time changes one before the customer is woken."""

    members: list[str]
    kept: list[str]
    is_late: bool


def recomputed(
    customer: Customer, current: Compiled, now: Instant, known: Collection[str] | None = None
) -> Recompute:
    """The memberships worked out anew from the profile. `known`: of these hashes only; else of all in the playbook."""
    tracked = {key: one for key, one in current.tracked.items() if known is None or key in known}
    due, kept_due = next_change_of(customer.profile, tracked.values(), now), customer.segments_due
    return Recompute(
        members=members(customer.profile, tracked.values(), now),
        kept=[key for key in customer.segments if key in tracked],
        is_late=due is not None and (kept_due is None or kept_due > due),
    )


def is_outdated(customer: Customer, current: Compiled) -> bool:
    """Whether the profile was folded by another dictionary: the history has to be folded anew."""
    return customer.folded_by != current.dictionary_hash and has_folded(customer)
