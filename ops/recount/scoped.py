"""A period and a kind of scope that is asked for, and counts and sums of rows in it. Values are scope → (numerator,
denominator)."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ops.recount.known import Known

Values = dict[str, tuple[float, float | None]]


@dataclass(frozen=True)
class Asked:
    """The days from `first` to `last`, both included, and whose scopes are told apart by what."""

    known: Known
    first: dt.date
    last: dt.date
    kind: str
    goal: str

    def within(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of the period."""
        return frame[(frame["day"] >= self.first) & (frame["day"] <= self.last)]

    def scoped(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of the period that have a scope of the kind, with it."""
        return with_scope(self.within(frame), self.kind)

    def count(self, frame: pd.DataFrame) -> dict[str, float]:
        """Rows by scope."""
        return {str(k): float(v) for k, v in self.scoped(frame).groupby("scope").size().items()}

    def sum(self, frame: pd.DataFrame, column: str) -> dict[str, float]:
        """A column's sum by scope."""
        return {str(k): float(v) for k, v in self.scoped(frame).groupby("scope")[column].sum().items()}

    def costs(self) -> dict[str, float]:
        """What the messages cost."""
        return self.sum(self.known.contacts, "yen")


def with_scope(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Rows with the scope that they are of; those of none are left out."""
    if kind == "all":
        return frame.assign(scope="")
    if kind == "step":
        frame = frame[(frame["scenario"] != "") & (frame["step"] != "")]
        return frame.assign(scope=frame["scenario"] + "/" + frame["step"])
    if kind == "variant":
        frame = frame[frame["variant"] != ""]
        source = frame["scenario"] + frame["campaign"]
        return frame.assign(scope=source + "/" + frame["step"] + "/" + frame["variant"])
    frame = frame[frame[kind] != ""]
    return frame.assign(scope=frame[kind])


def shares(scopes: "pd.Series[Any]", holds: list[bool]) -> Values:
    found = pd.DataFrame({"scope": scopes.to_numpy(), "holds": holds}).groupby("scope")["holds"]
    return {str(scope): (float(sum(v)), float(len(v))) for scope, v in found}


def alone(values: dict[str, float]) -> Values:
    return {scope: (value, None) for scope, value in values.items()}


def over(numerators: dict[str, float], denominators: dict[str, float]) -> Values:
    scopes = numerators.keys() | denominators.keys()
    return {scope: (numerators.get(scope, 0.0), denominators.get(scope, 0.0)) for scope in scopes}


def minus(left: dict[str, float], right: dict[str, float]) -> dict[str, float]:
    return {scope: left.get(scope, 0.0) - right.get(scope, 0.0) for scope in left.keys() | right.keys()}
