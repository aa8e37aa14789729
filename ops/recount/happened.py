"""What happened, as frames: all that a recount knows."""

import datetime as dt
from typing import Any, NamedTuple

import pandas as pd


class Happened(NamedTuple):
    """One row a thing; `at` is UTC without a zone. `events`: with `properties` as dicts; `people`: who is whom, linked or
    not, the latest row of an id counts; `memberships`: enterings and leavings of segments, likewise."""

    events: pd.DataFrame
    sends: pd.DataFrame
    clicks: pd.DataFrame
    friendships: pd.DataFrame
    people: pd.DataFrame
    memberships: pd.DataFrame

    def until(self, day: dt.date, zone: str) -> "Happened":
        """What had happened by the end of a local day."""
        return Happened(*(frame[day_of(frame["at"], zone) <= day].reset_index(drop=True) for frame in self))


def day_of(at: "pd.Series[Any]", zone: str) -> "pd.Series[Any]":
    """The local day of each instant."""
    return pd.Series(pd.to_datetime(at).dt.tz_localize("UTC").dt.tz_convert(zone).dt.date, dtype=object)
