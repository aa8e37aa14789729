"""The audit of memberships: what is kept with a customer beside a full recompute from the same profile."""

import datetime as dt
from typing import Literal

import msgspec

from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.instants import Instant
from functions.domain.memberships import is_due, is_outdated, recomputed

AUDIT_PARTS = 16
"""A day's sample is one part of so many: each customer is audited every so many days."""
OVERDUE_AFTER = dt.timedelta(minutes=10)
DIFFERENCES_KEPT = 1000

Finding = Literal["same", "waiting", "overdue", "behind", "different"]


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A customer whose kept memberships are not those of a recompute: hashes missing, hashes too many, a late wake-up."""

    customer_id: str
    missing: list[str] = []
    surplus: list[str] = []
    wakes_late: bool = False


class AuditReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """One part of all customers, audited. `overdue`: a timer has not woken them; `behind`: they still are to be refreshed
    under the playbook in force. `differences` counts all; `found` holds the first thousand."""

    audit_id: str
    part: int
    parts: int
    playbook: str
    begun_at: Instant
    next_key: str = ""
    looked: int = 0
    overdue: int = 0
    behind: int = 0
    differences: int = 0
    found: list[Difference] = []
    done: bool = False


def part_of(day: Instant) -> int:
    """Which part is audited on a day: each in its turn."""
    return day.toordinal() % AUDIT_PARTS


def finding_of(
    customer: Customer, current: Compiled, kept_under: Compiled | None, now: Instant
) -> tuple[Finding, Difference | None]:
    """What the audit says of one customer. `kept_under` is the playbook that the memberships were last renewed by.

    A timer that is due now is on its way, and proves nothing; segments that are newer than the customer's last change
    are the back-fill's to see to.
    """
    if customer.merged_into:
        return "same", None
    if is_due(customer, now):
        assert customer.segments_due is not None
        return ("overdue" if now - customer.segments_due > OVERDUE_AFTER else "waiting"), None
    if kept_under is None or is_outdated(customer, current):
        return "behind", None
    expected = recomputed(customer, current, now, kept_under.tracked)
    missing = [key for key in expected.members if key not in expected.kept]
    surplus = [key for key in expected.kept if key not in expected.members]
    if missing or surplus or expected.is_late:
        return "different", Difference(customer.customer_id, missing, surplus, expected.is_late)
    everything = recomputed(customer, current, now)
    return ("behind" if everything.members != everything.kept else "same"), None


def with_page(
    report: AuditReport, findings: list[tuple[Finding, Difference | None]], next_key: str
) -> AuditReport:
    """The report with one more page of customers in it."""
    kinds = [kind for kind, _ in findings]
    differences = [difference for _, difference in findings if difference is not None]
    return msgspec.structs.replace(
        report,
        next_key=next_key,
        looked=report.looked + len(findings),
        overdue=report.overdue + kinds.count("overdue"),
        behind=report.behind + kinds.count("behind"),
        differences=report.differences + len(differences),
        found=[*report.found, *differences][:DIFFERENCES_KEPT],
    )
