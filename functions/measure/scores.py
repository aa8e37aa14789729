"""Scores of customers, daily: RFM ranks, whether they are still there, what is due again, at which hour they look.

They come back as attributes by a file of their own (source `musubi-scores`), which has only those whose scores have
changed: an attribute that is told anew every day would be a write a customer and day.
"""

import datetime as dt
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import numpy as np

from functions.measure.models.bgnbd import WEEK_DAYS, expected_orders, p_alive
from functions.measure.models.fitted import PREFIX, Fitted, decoded, newest_key
from functions.measure.models.returning import p_returns
from functions.measure.periods import bound, days_between, newest
from functions.measure.telling import Lake, tell
from functions.measure.views import Views

AHEAD_DAYS = 90
ORDER_DAYS = 400
"""Intervals are read from so many days of orders, so that a day's work does not grow with history."""
TOUCH_DAYS = 90
GAPS_MIN = 20
"""An item that was bought again fewer times than this, by all, is not known to be used up."""
OVERDUE_DAYS_MAX = 30

COLUMNS = (
    "rfm",
    "rfm_r",
    "rfm_f",
    "rfm_m",
    "p_alive",
    "orders_expected",
    "due_item",
    "due_on",
    "due_days",
    "best_hour",
)
"""The attributes."""

_RANKS = """
CREATE OR REPLACE TEMP TABLE ranked AS
SELECT customer_id, len(days) - 1 AS x, (last_day - first_day) / 7.0 AS recency, ($day - first_day) / 7.0 AS age,
       CAST(least(5, 1 + floor(5 * percent_rank() OVER (ORDER BY last_day))) AS INTEGER) AS rfm_r,
       CAST(least(5, 1 + floor(5 * percent_rank() OVER (ORDER BY orders))) AS INTEGER) AS rfm_f,
       CAST(least(5, 1 + floor(5 * percent_rank() OVER (ORDER BY revenue))) AS INTEGER) AS rfm_m
FROM customers WHERE orders > 0 AND first_day <= $day
"""
"""Quintiles, 5 the best. Who is alike is ranked alike, so that not every fifth one-time buyer looks like a regular."""

GAPS = """
SELECT customer_id, what, day, day - lag(day) OVER (PARTITION BY customer_id, what ORDER BY day) AS gap
FROM (SELECT DISTINCT customer_id, coalesce(nullif(item, ''), nullif(category, '')) AS what, day
      FROM orders WHERE NOT cancelled AND coalesce(nullif(item, ''), nullif(category, '')) IS NOT NULL)
"""
"""One row an item (else category), customer and day, with the days since they bought it before."""

_DUE = f"""
CREATE OR REPLACE TEMP TABLE due AS
WITH gaps AS ({GAPS}),
own AS (SELECT customer_id, what, max(day) AS last_day, count(gap) AS n, coalesce(sum(ln(gap)), 0) AS total
        FROM gaps GROUP BY ALL),
usual AS (SELECT what, avg(total / n) FILTER (n > 0) AS mean FROM own GROUP BY what HAVING sum(n) >= {GAPS_MIN}),
expected AS (
  SELECT customer_id, what, last_day,
         CAST(round(exp((total + $weight * mean) / (n + $weight))) AS INTEGER) AS days
  FROM own JOIN usual USING (what))
SELECT customer_id, arg_min(what, row(last_day + days, what)) AS due_item, min(last_day + days) AS due_on,
       arg_min(days, row(last_day + days, what)) AS due_days
FROM expected WHERE last_day + days >= $day - {OVERDUE_DAYS_MAX} GROUP BY customer_id
"""
"""The item that is due first, of those that are not overdue by far: intervals are lognormal, one's own mean shrunk to that
of all who bought the item again, each of whom counts once: by intervals, who buys most would be the measure for all."""

TOUCHES = """
SELECT coalesce(o.owner, t.customer_id) AS customer_id, t.happened,
       (datepart('hour', t.happened) * 60 + datepart('minute', t.happened) + z.minutes + 1440) % 1440 // 60 AS hour
FROM (SELECT c.customer_id, c.at AS happened, c.day FROM clicks c WHERE c.agent = 'person'
      UNION ALL SELECT customer_id, orders.at, day FROM orders WHERE NOT cancelled
      UNION ALL SELECT e.customer_id, e.at, e.day FROM events e WHERE e.name = 'line_message') t
JOIN offsets z ON z.day = t.day LEFT JOIN owners o ON o.customer_id = t.customer_id
"""
"""One row a click, order or word in the chat, with its local hour."""

_HOURS = f"""
CREATE OR REPLACE TEMP TABLE hours AS
WITH touches AS ({TOUCHES}),
spread AS (
  SELECT customer_id, CAST((hour + step + 24) % 24 AS INTEGER) AS hour, sum(part) AS touches
  FROM touches, (VALUES (-1, 0.25), (0, 0.5), (1, 0.25)) near(step, part) GROUP BY ALL),
crowd AS (SELECT hour, sum(touches) / sum(sum(touches)) OVER () AS share FROM spread GROUP BY hour),
candidates AS (
  SELECT customer_id, hour, touches FROM spread
  UNION ALL SELECT DISTINCT customer_id, (SELECT arg_max(hour, row(share, -hour)) FROM crowd), 0 FROM spread)
SELECT n.customer_id, arg_max(n.hour, row(n.touches + $weight * c.share, -n.hour)) AS best_hour
FROM candidates n JOIN crowd c ON c.hour = n.hour
GROUP BY n.customer_id
"""
"""Where most touches lie, each spread over its neighbours, and everybody's added as so many of one's own. Where somebody has
none, the crowd's best hour alone can win."""

_ALL = """
SELECT r.customer_id, concat(rfm_r, rfm_f, rfm_m) AS rfm, rfm_r, rfm_f, rfm_m,
       round(m.alive * 20) / 20 AS p_alive, round(m.expected, 1) AS orders_expected,
       d.due_item, d.due_on, d.due_days, h.best_hour
FROM ranked r LEFT JOIN modelled m USING (customer_id) LEFT JOIN due d USING (customer_id)
LEFT JOIN hours h USING (customer_id)
"""
"""p in steps of a twentieth and orders of a tenth: what changes less than that is nobody's business."""


class Scored(NamedTuple):
    """How many customers have scores, of how many they have changed, and the model's version (empty: there is none)."""

    customers: int
    changed: int
    model: str


def score(workspace: Views, lake: Lake, scratch: Path, day: dt.date, zone: str) -> Scored:
    """Score everybody as of the end of a day, and drop what has changed for loading. Idempotent: a second run compares
    with the same day before, and drops the same file."""
    connection = workspace.connection
    fitted = model_in_force(lake, scratch, day)
    open_views(workspace, day, zone)
    connection.execute(bound(_RANKS, {"day": day}))
    _model(connection, fitted)
    connection.execute(bound(_DUE, {"day": day, "weight": fitted.interval_weight}))
    connection.execute(bound(_HOURS, {"weight": fitted.hour_weight}))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE scores AS {_ALL}")
    told = tell(connection, lake, scratch, "scores", COLUMNS, day, zone)
    return Scored(*told, fitted.version if fitted.bgnbd else "")


def model_in_force(lake: Lake, scratch: Path, day: dt.date) -> Fitted:
    """The newest model that was fitted on days up to this; one without parameters where there is none."""
    key, path = newest_key(lake.keys(PREFIX), day), scratch / "model.json"
    if key is None or not lake.fetch(key, path):
        return Fitted(day)
    return decoded(path.read_bytes())


def open_views(workspace: Views, day: dt.date, zone: str) -> None:
    """Views of all that scores are made of, and the table `offsets`: of each local day its minutes ahead of UTC."""
    first = day - dt.timedelta(days=TOUCH_DAYS - 1)
    workspace.view("orders", days_between(day - dt.timedelta(days=ORDER_DAYS - 1), day))
    for table in ("clicks", "events"):
        workspace.view(table, days_between(first, day))
    workspace.view("customers", [day])
    workspace.view("owners", newest(workspace.days("owners")))
    offsets = np.array([_minutes_ahead(one, zone) for one in days_between(first, day)], int)
    ages = np.arange(TOUCH_DAYS)
    workspace.connection.register("ahead", {"age": ages, "minutes": offsets})
    workspace.connection.execute(
        bound(
            "CREATE OR REPLACE TEMP TABLE offsets AS SELECT $first + CAST(age AS INTEGER) AS day, minutes FROM ahead",
            {"first": first},
        )
    )


def _minutes_ahead(day: dt.date, zone: str) -> int:
    offset = dt.datetime.combine(day, dt.time(12), ZoneInfo(zone)).utcoffset()
    return int((offset or dt.timedelta()).total_seconds() // 60)


def _model(connection: duckdb.DuckDBPyConnection, fitted: Fitted) -> None:
    """The table `modelled`: of everybody with orders, whether they are still there and what they will order."""
    rows = connection.execute("SELECT x, recency, age FROM ranked ORDER BY customer_id").fetchnumpy()
    alive, expected = modelled(fitted, rows["x"], rows["recency"], rows["age"])
    connection.register("guessed", {"place": np.arange(len(alive)), "alive": alive, "expected": expected})
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE modelled AS SELECT r.customer_id, nullif(g.alive, 'nan') AS alive, "
        "nullif(g.expected, 'nan') AS expected FROM guessed g "
        "JOIN (SELECT customer_id, row_number() OVER (ORDER BY customer_id) - 1 AS place FROM ranked) r USING (place)"
    )


def modelled(fitted: Fitted, x: Any, recency: Any, age: Any) -> tuple[Any, Any]:
    """P(alive) and expected days with orders within AHEAD_DAYS; nan where there is no model.

    Of one-time buyers p is that of any second order, by how long others took for theirs: BG/NBD calls all of them alive. How
    many orders they will make all together it tells well (docs/models.md).
    """
    x, recency, age = (np.asarray(one, float) for one in (x, recency, age))
    alive, expected = np.full(x.size, np.nan), np.full(x.size, np.nan)
    if fitted.bgnbd is not None:
        alive = p_alive(fitted.bgnbd, x, recency, age)
        expected = expected_orders(fitted.bgnbd, x, recency, age, AHEAD_DAYS / WEEK_DAYS)
    if fitted.returning is not None:
        alive[x == 0] = p_returns(fitted.returning, age[x == 0])
    return alive, expected
