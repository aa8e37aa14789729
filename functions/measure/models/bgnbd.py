"""BG/NBD: whether somebody is still a customer, and how often they will order.

Fader, Hardie and Lee, "Counting Your Customers" the Easy Way, Marketing Science 24 (2005). Of each customer: `x`, the days
with orders after the first; `recency`, from the first to the last of them; `age`, from the first until now, in the unit
of the parameters. All arrays of one length. For x = 0 the model calls everybody alive; `returning` says more of them.
"""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]
WEEK_DAYS = 7.0


class BgNbd(msgspec.Struct, frozen=True):
    """Orders of the living come at rates spread as gamma(r, alpha), a week; after each order, one dies with a probability
    spread as beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float


def log_likelihood(model: BgNbd, x: Any, recency: Any, age: Any) -> Array:
    """Of each customer (ibid., equation 6)."""
    x, recency, age = (np.asarray(one, float) for one in (x, recency, age))
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    rates = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
    deaths = special.betaln(a, b + x) - special.betaln(a, b)
    alive = -(r + x) * np.log(alpha + age)
    dead = np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + recency)
    return np.asarray(rates + deaths + np.logaddexp(alive, np.where(x > 0, dead, -np.inf)))


def p_alive(model: BgNbd, x: Any, recency: Any, age: Any) -> Array:
    """The probability that each is still a customer (Fader, Hardie and Lee, Computing P(alive) Using the BG/NBD Model,
    2008)."""
    return np.asarray(special.expit(-_log_odds_dead(model, x, recency, age)))


def expected_orders(model: BgNbd, x: Any, recency: Any, age: Any, ahead: float) -> Array:
    """How many days with orders each will have in the time `ahead` (2005, equation 10)."""
    x, age = np.asarray(x, float), np.asarray(age, float)
    r, alpha, b = model.r, model.alpha, model.b
    # At a = 1 the formula is 0 / 0, and right beside it all digits cancel.
    a = model.a if abs(model.a - 1) > 1e-5 else 1 + 1e-5  # noqa: PLR2004 — less loses more
    z = ahead / (alpha + age + ahead)
    spread = special.hyp2f1(r + x, b + x, a + b + x - 1, z)
    kept = ((alpha + age) / (alpha + age + ahead)) ** (r + x)
    return np.asarray((a + b + x - 1) / (a - 1) * (1 - kept * spread) * p_alive(model, x, recency, age))


def _log_odds_dead(model: BgNbd, x: Any, recency: Any, age: Any) -> Array:
    x, recency, age = (np.asarray(one, float) for one in (x, recency, age))
    odds = np.log(model.a) - np.log(model.b + np.maximum(x, 1) - 1)
    odds = odds + (model.r + x) * (np.log(model.alpha + age) - np.log(model.alpha + recency))
    return np.asarray(np.where(x > 0, odds, -np.inf))
