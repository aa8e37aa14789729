"""What became of people within so long after they were given an arm: conversions, and gross profit net of what it cost.

Everybody counts in the arm they were given, whatever became of the message. The SQL reads `enrolled` (scope, arm,
customer_id, at), `orders`, `contacts`, `bills`, `owners` and, for goals that are no order, `events`.
"""

import datetime as dt
from collections.abc import Mapping

import duckdb
import msgspec

from functions.domain import playbook as pb
from functions.measure.kpi_sql import BILL
from functions.measure.periods import Literal, bound
from functions.measure.statistics.samples import Sample, yes_or_no

OWNER = "coalesce((SELECT any_value(o.owner) FROM owners o WHERE o.customer_id = {0}.customer_id), {0}.customer_id)"
DAY_SECONDS = 86_400


class Outcome(msgspec.Struct, frozen=True):
    """An arm's sums. `waiting`: people whose time to act is not over, who count nowhere else; `buyers`: who ordered."""

    people: int
    waiting: int
    converted: int
    buyers: int
    profit: Sample

    @property
    def conversion(self) -> Sample:
        """Who reached the goal."""
        return yes_or_no(self.people, self.converted)


Arms = Mapping[str, Outcome]
NOBODY = Outcome(0, 0, 0, 0, Sample(0, 0.0, 0.0))

_ORDERED = (
    "SELECT customer_id, orders.at FROM orders WHERE NOT cancelled AND ($number IS NULL OR number = $number)"
)
_HAPPENED = f"""SELECT {OWNER.format("e")} AS customer_id, e.at FROM events e
WHERE e.name = $event AND e.status = 'confirmed'"""

_OUTCOMES = """
CREATE OR REPLACE TEMP TABLE lived AS
WITH reached AS (
  SELECT e.scope, e.customer_id, count(*) AS times
  FROM enrolled e JOIN ({goal}) g ON g.customer_id = e.customer_id
   AND g.at >= e.at AND g.at < e.at + to_seconds($window)
  GROUP BY ALL),
earned AS (
  SELECT e.scope, e.customer_id, sum(coalesce(o.gross_profit, 0) - coalesce(o.coupon_yen, 0)) AS yen
  FROM enrolled e JOIN orders o ON o.customer_id = e.customer_id AND NOT o.cancelled
   AND o.at >= e.at AND o.at < e.at + to_seconds($window)
  GROUP BY ALL),
each AS (SELECT b.month, {bill} / b.messages AS yen FROM bills b WHERE b.messages > 0),
sent AS (SELECT {owner} AS customer_id, c.at, coalesce(each.yen, 0) AS yen
  FROM contacts c LEFT JOIN each ON each.month = CAST(date_trunc('month', c.day) AS DATE)),
cost AS (
  SELECT e.scope, e.customer_id, sum(s.yen) AS yen
  FROM enrolled e JOIN sent s ON s.customer_id = e.customer_id
   AND s.at >= e.at AND s.at < e.at + to_seconds($window)
  GROUP BY ALL)
SELECT e.scope, e.arm, e.customer_id, e.at, e.at + to_seconds($window) <= $until AS ripe,
       reached.times IS NOT NULL AS converted, earned.yen IS NOT NULL AS bought,
       coalesce(earned.yen, 0) - coalesce(cost.yen, 0) AS net
FROM enrolled e
LEFT JOIN reached ON reached.scope = e.scope AND reached.customer_id = e.customer_id
LEFT JOIN earned ON earned.scope = e.scope AND earned.customer_id = e.customer_id
LEFT JOIN cost ON cost.scope = e.scope AND cost.customer_id = e.customer_id
"""

_SUMS = """
SELECT {scope} AS scope, l.arm, count(*) FILTER (ripe), count(*) FILTER (NOT ripe),
       count(*) FILTER (ripe AND converted), count(*) FILTER (ripe AND bought),
       coalesce(sum(net) FILTER (ripe), 0), coalesce(sum(net * net) FILTER (ripe), 0)
FROM lived l {joined} GROUP BY 1, 2"""


def live(
    connection: duckdb.DuckDBPyConnection, measure: pb.Measure, goal: pb.Goal, until: dt.datetime
) -> None:
    """Make the table `lived`: one row a person and scope of `enrolled`, with what they did. `until`: an instant in UTC up
    to which orders and messages are known."""
    ordered = goal.event == measure.order
    sql = _OUTCOMES.format(goal=_ORDERED if ordered else _HAPPENED, owner=OWNER.format("c"), bill=BILL)
    given: dict[str, Literal] = {
        "window": goal.within_seconds,
        "until": f"{until.replace(tzinfo=None).isoformat(sep=' ')}",
        "number": goal.when_number,
        "event": goal.event,
    }
    connection.execute(bound(sql.replace("$until", "CAST($until AS TIMESTAMP)"), given))


def sums(
    connection: duckdb.DuckDBPyConnection, scope: str = "l.scope", joined: str = ""
) -> Mapping[str, Arms]:
    """Scope → arm → what became of its people, of the table `lived`. `joined`: more tables that `scope` reads."""
    rows = connection.execute(_SUMS.format(scope=scope, joined=joined)).fetchall()
    found: dict[str, dict[str, Outcome]] = {}
    for name, arm, people, waiting, converted, buyers, total, squares in rows:
        sample = Sample(people, float(total), float(squares))
        found.setdefault(name, {})[arm] = Outcome(people, waiting, converted, buyers, sample)
    return found


def window_days(goal: pb.Goal) -> int:
    """The goal's window in days, rounded up."""
    return -(-goal.within_seconds // DAY_SECONDS)
