"""What to suggest to whom, daily: what goes with what they bought, what others looked at too, which category comes next.

Attributes of customers, so that messages take them as any other, with fallbacks. Nobody is suggested what they have bought,
or what is out of stock. What was bought or looked at by fewer than TOGETHER_MIN people together is nobody's business.
"""

import datetime as dt
from pathlib import Path

from functions.domain import playbook as pb
from functions.domain.context import Context
from functions.domain.instants import Instant
from functions.measure.periods import bound, days_between, newest
from functions.measure.rankings import know_items
from functions.measure.telling import Lake, Told, tell
from functions.measure.views import Views

BOUGHT_DAYS = 365
VIEWED_DAYS = 30
TOGETHER_MIN = 5
ITEMS_MAX = 500
OTHERS_MAX = 5
OWN_MAX = 4
"""What goes with the items that somebody bought last says more than with all they ever bought, and costs less."""
NOTHING = "-"
"""Where the playbook does not say what a view is: no event has an empty name, and no path an empty step."""
COLUMNS = ("next_category", "goes_with_1", "goes_with_2", "also_viewed_1", "also_viewed_2")

_BOUGHT = f"""
CREATE OR REPLACE TEMP TABLE bought AS
SELECT customer_id, item, max(day) AS day FROM orders WHERE NOT cancelled AND coalesce(item, '') <> '' AND item IN (
  SELECT item FROM orders WHERE NOT cancelled GROUP BY item ORDER BY count(*) DESC, item LIMIT {ITEMS_MAX})
GROUP BY customer_id, item
"""

_LAST_BOUGHT = f"""SELECT customer_id, item FROM bought
QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY day DESC, item) <= {OWN_MAX}"""

_VIEWED = f"""
CREATE OR REPLACE TEMP TABLE viewed AS
WITH seen AS (
  SELECT coalesce(o.owner, e.customer_id) AS customer_id, e.at AS happened, e.day,
         json_extract_string(e.properties, '$."' || $item || '"') AS item
  FROM events e LEFT JOIN owners o ON o.customer_id = e.customer_id
  WHERE e.name = $event AND e.status = 'confirmed')
SELECT customer_id, item, day, max(happened) AS happened FROM seen WHERE coalesce(item, '') <> '' AND item IN (
  SELECT item FROM seen GROUP BY item ORDER BY count(*) DESC, item LIMIT {ITEMS_MAX})
GROUP BY ALL
"""

_TOGETHER = f"""
CREATE OR REPLACE TEMP TABLE {{name}} AS
WITH alone AS (SELECT item, count(DISTINCT customer_id) AS people FROM {{table}} GROUP BY item),
pairs AS (
  SELECT a.item, b.item AS other, count(DISTINCT a.customer_id) AS people
  FROM {{table}} a JOIN {{table}} b ON b.customer_id = a.customer_id AND b.item <> a.item {{also}}
  GROUP BY ALL HAVING count(DISTINCT a.customer_id) >= {TOGETHER_MIN})
SELECT p.item, p.other, p.people / sqrt(o.people * x.people) AS likeness
FROM pairs p JOIN alone o ON o.item = p.item JOIN alone x ON x.item = p.other
WHERE p.other NOT IN (SELECT item FROM gone)
QUALIFY row_number() OVER (PARTITION BY p.item ORDER BY likeness DESC, p.other) <= {OTHERS_MAX}
"""
"""Cosine similarity, so that what everybody buys anyway does not go with everything; the likest of each alone, so that work
grows with customers and not with customers times items."""

_OWNED = """
CREATE OR REPLACE TEMP TABLE owned AS
SELECT customer_id, item FROM orders WHERE NOT cancelled AND item IS NOT NULL
UNION SELECT o.customer_id, n.name FROM orders o JOIN names n ON n.item = o.item WHERE NOT o.cancelled
"""
"""By what it is called, too: pages that people look at may name items so."""

_PICKED = """
CREATE OR REPLACE TEMP TABLE {name} AS
WITH picked AS (
  SELECT f.customer_id, t.other, sum(t.likeness) AS likeness
  FROM ({of}) f JOIN {together} t ON t.item = f.item
  WHERE NOT EXISTS (FROM owned w WHERE w.customer_id = f.customer_id AND w.item = t.other)
  GROUP BY ALL),
placed AS (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY likeness DESC, other) AS place FROM picked)
SELECT p.customer_id, max(coalesce(n.name, p.other)) FILTER (place = 1) AS first,
       max(coalesce(n.name, p.other)) FILTER (place = 2) AS second
FROM placed p LEFT JOIN names n ON n.item = p.other WHERE place <= 2 GROUP BY p.customer_id
"""

_NEXT = f"""
CREATE OR REPLACE TEMP TABLE next AS
WITH firsts AS (SELECT customer_id, category, orders.at AS happened FROM orders
                WHERE NOT cancelled AND new_category AND coalesce(category, '') <> ''),
steps AS (SELECT *, lead(category) OVER (PARTITION BY customer_id ORDER BY happened, category) AS following FROM firsts),
ways AS (SELECT category, following, count(*) AS people FROM steps WHERE following IS NOT NULL
         GROUP BY category, following HAVING count(*) >= {TOGETHER_MIN}
         QUALIFY row_number() OVER (PARTITION BY category ORDER BY people DESC, following) <= {OTHERS_MAX}),
now AS (SELECT customer_id, arg_max(category, row(happened, category)) AS category FROM firsts GROUP BY customer_id)
SELECT n.customer_id, arg_max(w.following, row(w.people, w.following)) AS next_category
FROM now n JOIN ways w ON w.category = n.category
LEFT JOIN customers c ON c.customer_id = n.customer_id
WHERE NOT list_contains(coalesce(c.categories, []), w.following)
  AND NOT EXISTS (FROM firsts f WHERE f.customer_id = n.customer_id AND f.category = w.following)
GROUP BY n.customer_id
"""
"""Of those who came to the same category last, which new one most went on to."""

_LAST_VIEWED = (
    "SELECT customer_id, arg_max(item, row(happened, item)) AS item FROM viewed GROUP BY customer_id"
)

_ALL = """
CREATE OR REPLACE TEMP TABLE recommendations AS
SELECT customer_id, n.next_category, g.first AS goes_with_1, g.second AS goes_with_2,
       v.first AS also_viewed_1, v.second AS also_viewed_2
FROM next n FULL JOIN goes_with g USING (customer_id) FULL JOIN also_viewed v USING (customer_id)
"""


def recommend(
    workspace: Views,
    lake: Lake,
    scratch: Path,
    playbook: pb.Playbook,
    context: Context,
    day: dt.date,
    now: Instant,
) -> Told:
    """Suggest as of the end of a day, and drop what has changed for loading. Idempotent. `context`: names and stock of
    items (`rankings`)."""
    connection, measure = workspace.connection, playbook.measure
    workspace.view("orders", days_between(day - dt.timedelta(days=BOUGHT_DAYS - 1), day))
    workspace.view("events", days_between(day - dt.timedelta(days=VIEWED_DAYS - 1), day))
    workspace.view("customers", [day])
    workspace.view("owners", newest(workspace.days("owners")))
    know_items(connection, context, now)
    connection.execute(_OWNED)
    connection.execute(_BOUGHT)
    connection.execute(bound(_VIEWED, {"event": measure.view_event, "item": measure.view_item or NOTHING}))
    for name, table, also in (("bought_with", "bought", ""), ("viewed_with", "viewed", "AND b.day = a.day")):
        connection.execute(_TOGETHER.format(name=name, table=table, also=also))
    connection.execute(_PICKED.format(name="goes_with", of=_LAST_BOUGHT, together="bought_with"))
    connection.execute(_PICKED.format(name="also_viewed", of=_LAST_VIEWED, together="viewed_with"))
    connection.execute(_NEXT)
    connection.execute(_ALL)
    return tell(connection, lake, scratch, "recommendations", COLUMNS, day, playbook.zone)
