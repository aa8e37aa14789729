"""The stage that derives orders, customers, contacts, conversions and the daily parts of KPIs from facts."""

import datetime as dt
from collections.abc import Iterable

from functions.measure.attribution import derive_contacts, derive_conversions
from functions.measure.dailies import derive_daily, derive_friends_and_members
from functions.measure.flow import Measured
from functions.measure.orders import derive_customers, derive_orders, derive_owners
from functions.measure.run import Run
from functions.measure.tables import CUSTOMERS, SNAPSHOTS

CUSTOMERS_DAYS = 40
"""So long each day's snapshot of customers is kept; after that, that of the first of each month."""


def derive(measured: Measured) -> None:
    """Bring the derived tables up to a day. Nothing of it shows before all of it is there."""
    run = Run(measured.workspace, measured.playbook, measured.day, measured.touched)
    derive_owners(run)
    ordered = derive_orders(run)
    contacted = derive_contacts(run)
    derive_customers(run)
    converted = derive_conversions(run, ordered, contacted)
    derive_daily(run, ordered, contacted, converted)
    derive_friends_and_members(run)
    for table in SNAPSHOTS:
        old = _outlived(run.workspace.all_days(table), run.day, keeps=table is CUSTOMERS)
        run.drafts.remove(table, old)
    run.drafts.put()


def _outlived(days: Iterable[dt.date], day: dt.date, *, keeps: bool) -> list[dt.date]:
    """The snapshots that nobody asks for any more once there is that of `day`."""
    if not keeps:
        return [one for one in days if one < day]
    oldest = day - dt.timedelta(days=CUSTOMERS_DAYS)
    return [one for one in days if one < oldest and one.day != 1]
