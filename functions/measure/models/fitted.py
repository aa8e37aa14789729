"""What was fitted: the parameters that daily scores are made with, as a file of the lake. Nothing is ever overwritten."""

import datetime as dt
import hashlib
from collections.abc import Iterable

import msgspec

from functions.measure.models.bgnbd import BgNbd
from functions.measure.models.returning import Returning

PREFIX = "models/v1/"
INTERVAL_WEIGHT = 3.0
HOUR_WEIGHT = 12.0


class Fitted(msgspec.Struct, frozen=True, omit_defaults=True):
    """`day`: the last day of the orders that it was fitted on, `customers` how many had any. None: too few to fit.

    `interval_weight`, `hour_weight`: as how many intervals, or touches, of one's own everybody's count.
    """

    day: dt.date
    customers: int = 0
    bgnbd: BgNbd | None = None
    returning: Returning | None = None
    interval_weight: float = INTERVAL_WEIGHT
    hour_weight: float = HOUR_WEIGHT

    @property
    def version(self) -> str:
        """12 hex digits of all it holds."""
        return hashlib.sha256(encoded(self)).hexdigest()[:12]

    @property
    def key(self) -> str:
        """Where it lies in the lake; later days sort last."""
        return f"{PREFIX}day={self.day}/{self.version}.json"


_decoder = msgspec.json.Decoder(Fitted)


def encoded(fitted: Fitted) -> bytes:
    """As the file has it."""
    return msgspec.json.encode(fitted, order="deterministic")


def decoded(body: bytes) -> Fitted:
    """As the file has it. msgspec.DecodeError where it is none."""
    return _decoder.decode(body)


def newest_key(keys: Iterable[str], by: dt.date) -> str | None:
    """The key of the newest model fitted on days up to `by`; None where there is none."""
    until = f"{PREFIX}day={by}/~"
    return max((key for key in keys if key.startswith(PREFIX) and key <= until), default=None)
