"""Quiet hours: the local night in which messages of some kinds wait, and the hours that somebody has chosen."""

import datetime as dt

import msgspec

from functions.domain.instants import Instant, in_daily_window, next_local_time
from functions.domain.playbook import Kind, QuietHours


class ChosenHours(msgspec.Struct, frozen=True):
    """Local times between which somebody wishes to hear of promotions; may pass midnight."""

    start: dt.time
    end: dt.time


def quiet_until(quiet: QuietHours | None, kind: Kind, zone: str, now: Instant) -> Instant | None:
    """When the quiet hours that hold a message of this kind now are over; None where there are none now."""
    if quiet is None or kind not in quiet.kinds or not in_daily_window(now, quiet.start, quiet.end, zone):
        return None
    return next_local_time(now, quiet.end, zone)


def chosen_until(chosen: ChosenHours | None, kind: Kind, zone: str, now: Instant) -> Instant | None:
    """When the hours begin in which somebody wishes to hear of promotions; None where they wish it now, or always."""
    if chosen is None or kind != "promotion" or in_daily_window(now, chosen.start, chosen.end, zone):
        return None
    return next_local_time(now, chosen.start, zone)
