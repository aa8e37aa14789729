"""Quiet hours: the local night in which messages of some kinds wait."""

from functions.domain.instants import Instant, in_daily_window, next_local_time
from functions.domain.playbook import Kind, QuietHours


def quiet_until(quiet: QuietHours | None, kind: Kind, zone: str, now: Instant) -> Instant | None:
    """When the quiet hours that hold a message of this kind now are over; None where there are none now."""
    if quiet is None or kind not in quiet.kinds or not in_daily_window(now, quiet.start, quiet.end, zone):
        return None
    return next_local_time(now, quiet.end, zone)
