"""The few shapes that the SQL of KPIs has. Each gives rows of (scope, numerator, denominator).

`$first`, `$last` (days, both included), `$scope_kind` and `$goal` are set by `kpis.values`; days of months count whole.
"""

NO_DENOMINATOR = "CAST(NULL AS DOUBLE)"

BILL = "(b.plan_yen + greatest(b.messages - b.free_messages, 0) * b.yen_each)"
"""What a month cost, in yen: the plan, and each message beyond the free ones."""

PEOPLE = """
  SELECT '' AS scope, c.* FROM customers c WHERE $scope_kind = 'all'
  UNION ALL
  SELECT s.segment, c.*
  FROM (SELECT DISTINCT m.segment, coalesce(o.owner, m.customer_id) AS customer_id
        FROM members m LEFT JOIN owners o ON o.customer_id = m.customer_id WHERE m.change = 'entered') s
  JOIN customers c ON c.customer_id = s.customer_id WHERE $scope_kind = 'segment'
  UNION ALL
  SELECT substr(CAST(c.first_day AS VARCHAR), 1, 7), c.* FROM customers c
  WHERE $scope_kind = 'cohort' AND c.first_day IS NOT NULL"""
"""Customers by scope: all of them, the members of each segment now, or those whose first order was in a month."""


def _sum(part: str) -> str:
    goal = "$goal" if part.startswith("converted") else "''"
    return f"sum(CASE WHEN part = '{part}' AND goal = {goal} THEN value ELSE 0 END)"


def _of_daily(numerator: str, denominator: str) -> str:
    return (
        f"SELECT scope, {numerator} AS numerator, {denominator} AS denominator\n"
        "FROM daily WHERE day BETWEEN $first AND $last AND scope_kind = $scope_kind GROUP BY scope"
    )


def total(part: str) -> str:
    """The sum of a part over the days."""
    return _of_daily(_sum(part), NO_DENOMINATOR)


def ratio(part: str, of: str) -> str:
    """The sum of one part by the sum of another."""
    return _of_daily(_sum(part), _sum(of))


def net(gained: tuple[str, ...], lost: tuple[str, ...] = (), *, per: str = "") -> str:
    """Sums of parts added and taken away, less what the messages cost; by the sum of a part where one is named."""
    signed = [f"+ {_sum(part)}" for part in gained] + [f"- {_sum(part)}" for part in lost]
    numerator = f"{' '.join(signed) or '0'} - coalesce(max(cost.yen), 0)".removeprefix("+ ")
    return _with_cost(numerator, _sum(per) if per else NO_DENOMINATOR)


def message_cost(per: str = "") -> str:
    """What the messages of the days cost, by the sum of a part where one is named."""
    return _with_cost("coalesce(max(cost.yen), 0)", _sum(per) if per else NO_DENOMINATOR)


def _with_cost(numerator: str, denominator: str) -> str:
    """Each message bears its share of the bill of its month."""
    return f"""WITH cost AS (
  SELECT a.scope AS costing, sum(a.value * {BILL} / b.messages) AS yen
  FROM daily a JOIN bills b ON b.month = CAST(date_trunc('month', a.day) AS DATE) AND b.messages > 0
  WHERE a.part = 'accepted' AND a.day BETWEEN $first AND $last AND a.scope_kind = $scope_kind GROUP BY a.scope)
SELECT scope, {numerator} AS numerator, {denominator} AS denominator
FROM daily LEFT JOIN cost ON cost.costing = daily.scope
WHERE day BETWEEN $first AND $last AND scope_kind = $scope_kind GROUP BY scope"""


def of_customers(numerator: str, denominator: str, where: str = "TRUE") -> str:
    """Over customers by scope, `c` being their rows."""
    return (
        f"WITH c AS ({PEOPLE})\n"
        f"SELECT c.scope, {numerator} AS numerator, {denominator} AS denominator\nFROM c WHERE {where} GROUP BY c.scope"
    )


_YEN_A_MESSAGE = f"coalesce((SELECT sum({BILL}) / nullif(sum(b.messages), 0) FROM bills b), 0)"


def lifetime(value: str) -> str:
    """A sum over everybody who has ordered, by their number. `{message}` in it is what a message cost on average."""
    return of_customers(
        f"CAST(sum({value.replace('{message}', _YEN_A_MESSAGE)}) AS DOUBLE)",
        "CAST(count(*) AS DOUBLE)",
        "c.orders > 0",
    )


def retained(months: int) -> str:
    """Of those whose first order was so many months before the month of `$last`, who ordered in that month."""
    active = f"(c.months_active >> {months}) & 1 = 1"
    month = f"CAST(date_trunc('month', CAST($last AS DATE)) - INTERVAL {months} MONTH AS DATE)"
    return of_customers(
        f"CAST(sum(CASE WHEN {active} THEN 1 ELSE 0 END) AS DOUBLE)",
        "CAST(count(*) AS DOUBLE)",
        f"CAST(date_trunc('month', c.first_day) AS DATE) = {month}",
    )


SECOND = of_customers(
    "CAST(sum(CASE WHEN c.second_day <= $last THEN 1 ELSE 0 END) AS DOUBLE)",
    "CAST(count(*) AS DOUBLE)",
    "c.first_day BETWEEN $first AND $last",
)
"""Of those whose first order is of these days, who had ordered again by their end."""

WON_BACK = """WITH back AS (
  SELECT sum(CASE WHEN part = 'win_backs' THEN value ELSE 0 END) AS orders,
         max(CASE WHEN part = 'dormant_days' THEN value END) AS dormant_days
  FROM daily WHERE day BETWEEN $first AND $last AND scope_kind = 'all' AND goal = ''),
asleep AS (
  SELECT count(*) AS people FROM customers c CROSS JOIN back
  WHERE c.last_day < $last AND date_diff('day', c.last_day, CAST($last AS DATE)) > back.dormant_days)
SELECT '' AS scope, back.orders AS numerator, back.orders + asleep.people AS denominator
FROM back CROSS JOIN asleep WHERE $scope_kind = 'all'"""

LINKED = """WITH said AS (
  SELECT coalesce(o.owner, f.customer_id) AS customer_id, max_by(f.change, f.at) AS change
  FROM friends f LEFT JOIN owners o ON o.customer_id = f.customer_id GROUP BY 1)
SELECT '' AS scope, CAST(sum(CASE WHEN o.linked THEN 1 ELSE 0 END) AS DOUBLE) AS numerator,
       CAST(count(*) AS DOUBLE) AS denominator
FROM said s LEFT JOIN owners o ON o.customer_id = s.customer_id
WHERE s.change = 'follow' AND $scope_kind = 'all'"""

FRIENDS = f"""SELECT scope, denominator AS numerator, {NO_DENOMINATOR} AS denominator FROM ({LINKED})"""

SCOPES = {
    "all": "''",
    "scenario": "nullif(scenario, '')",
    "campaign": "nullif(campaign, '')",
    "run": "nullif(run, '')",
    "step": "CASE WHEN scenario <> '' AND step <> '' THEN scenario || '/' || step END",
    "variant": "CASE WHEN variant <> '' THEN scenario || campaign || '/' || step || '/' || variant END",
    "kind": "nullif(kind, '')",
    "segment": "nullif(segment, '')",
}
"""What of a message's row names the scope of each kind."""

REACHED = "WITH reached AS (\n" + "\n  UNION ALL\n".join(
    f"  SELECT {scope} AS scope, customer_id, day FROM contacts WHERE $scope_kind = '{kind}'"
    for kind, scope in SCOPES.items()
)
REACHED += f""")
SELECT scope, CAST(count(DISTINCT coalesce(o.owner, r.customer_id)) AS DOUBLE) AS numerator, {NO_DENOMINATOR} AS denominator
FROM reached r LEFT JOIN owners o ON o.customer_id = r.customer_id
WHERE r.scope IS NOT NULL AND r.day BETWEEN $first AND $last GROUP BY scope"""
