-- Everybody: those whose orders change, worked out on from what they had before the change; all others as they were.
-- Reads customers_then, changed, orders_tail_then, orders_tail, categories_now, messages_now and owners_now.
WITH
gone AS (
  SELECT customer_id, count(*) AS orders, sum(amount) AS revenue, sum(gross_profit) AS gross_profit, sum(coupon_yen) AS coupon_yen
  FROM orders_tail_then WHERE NOT cancelled GROUP BY customer_id
),
come AS (
  SELECT customer_id, count(*) AS orders, sum(amount) AS revenue, sum(gross_profit) AS gross_profit, sum(coupon_yen) AS coupon_yen
  FROM orders_tail WHERE NOT cancelled GROUP BY customer_id
),
firsts AS (SELECT customer_id, "at", day FROM orders_tail WHERE number = 1),
seconds AS (SELECT customer_id, "at", day FROM orders_tail WHERE number = 2),
lasts AS (
  SELECT customer_id, "at", amount
  FROM (
    SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY number DESC) AS place FROM orders_tail WHERE NOT cancelled
  ) AS placed
  WHERE place = 1
),
before_tail AS (
  SELECT customer_id, previous_at AS "at", previous_amount AS amount
  FROM (
    SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY number) AS place FROM orders_tail_then WHERE NOT cancelled
  ) AS placed
  WHERE place = 1
),
active AS (
  SELECT DISTINCT customer_id, day FROM orders_tail WHERE NOT cancelled
  UNION
  SELECT s.customer_id, u.day
  FROM customers_then AS s
  JOIN changed AS c ON c.customer_id = s.customer_id
  CROSS JOIN UNNEST(s.days) AS u (day)
  WHERE u.day < c.from_day
),
void AS (
  SELECT customer_id, day FROM orders_tail GROUP BY customer_id, day HAVING bool_and(cancelled)
  UNION
  SELECT s.customer_id, u.day
  FROM customers_then AS s
  JOIN changed AS c ON c.customer_id = s.customer_id
  CROSS JOIN UNNEST(s.void_days) AS u (day)
  WHERE u.day < c.from_day
),
spans AS (
  SELECT customer_id, min(day) AS first_day, max(day) AS last_day, array_agg(day ORDER BY day) AS days
  FROM active GROUP BY customer_id
),
months AS (
  SELECT customer_id, CAST(sum(power(2, least(month, 61))) AS BIGINT) AS bits
  FROM (
    SELECT DISTINCT
      a.customer_id,
      least((year(a.day) - year(s.first_day)) * 12 + month(a.day) - month(s.first_day), 61) AS month
    FROM active AS a
    JOIN spans AS s ON s.customer_id = a.customer_id
  ) AS each_month
  GROUP BY customer_id
),
voids AS (SELECT customer_id, array_agg(day ORDER BY day) AS days FROM void GROUP BY customer_id),
bought AS (
  SELECT n.customer_id, array_agg(n.category ORDER BY n.category) AS categories
  FROM categories_now AS n
  JOIN changed AS c ON c.customer_id = n.customer_id
  WHERE n.category <> ''
  GROUP BY n.customer_id
),
ordering AS (
  SELECT
    customer_id, orders, first_at, second_at, last_at, last_amount, first_day, second_day, last_day, revenue, gross_profit,
    coupon_yen, months_active, categories, days, void_days
  FROM (
    SELECT s.*, c.customer_id AS changing
    FROM customers_then AS s
    LEFT JOIN changed AS c ON c.customer_id = s.customer_id
  ) AS kept
  WHERE changing IS NULL
  UNION ALL
  SELECT
    c.customer_id,
    CAST(coalesce(s.orders, 0) - coalesce(g.orders, 0) + coalesce(n.orders, 0) AS INTEGER) AS orders,
    CASE WHEN coalesce(s.orders, 0) - coalesce(g.orders, 0) >= 1 THEN s.first_at ELSE f.at END AS first_at,
    CASE WHEN coalesce(s.orders, 0) - coalesce(g.orders, 0) >= 2 THEN s.second_at ELSE se.at END AS second_at,
    CASE
      WHEN l.customer_id IS NOT NULL THEN l.at
      WHEN b.customer_id IS NOT NULL THEN b.at
      ELSE s.last_at
    END AS last_at,
    CASE
      WHEN l.customer_id IS NOT NULL THEN l.amount
      WHEN b.customer_id IS NOT NULL THEN b.amount
      ELSE s.last_amount
    END AS last_amount,
    sp.first_day,
    CASE WHEN coalesce(s.orders, 0) - coalesce(g.orders, 0) >= 2 THEN s.second_day ELSE se.day END AS second_day,
    sp.last_day,
    CAST(coalesce(s.revenue, 0) - coalesce(g.revenue, 0) + coalesce(n.revenue, 0) AS BIGINT) AS revenue,
    CAST(coalesce(s.gross_profit, 0) - coalesce(g.gross_profit, 0) + coalesce(n.gross_profit, 0) AS BIGINT) AS gross_profit,
    CAST(coalesce(s.coupon_yen, 0) - coalesce(g.coupon_yen, 0) + coalesce(n.coupon_yen, 0) AS BIGINT) AS coupon_yen,
    coalesce(m.bits, 0) AS months_active,
    bo.categories,
    sp.days,
    v.days AS void_days
  FROM changed AS c
  LEFT JOIN customers_then AS s ON s.customer_id = c.customer_id
  LEFT JOIN gone AS g ON g.customer_id = c.customer_id
  LEFT JOIN come AS n ON n.customer_id = c.customer_id
  LEFT JOIN firsts AS f ON f.customer_id = c.customer_id
  LEFT JOIN seconds AS se ON se.customer_id = c.customer_id
  LEFT JOIN lasts AS l ON l.customer_id = c.customer_id
  LEFT JOIN before_tail AS b ON b.customer_id = c.customer_id
  LEFT JOIN spans AS sp ON sp.customer_id = c.customer_id
  LEFT JOIN months AS m ON m.customer_id = c.customer_id
  LEFT JOIN voids AS v ON v.customer_id = c.customer_id
  LEFT JOIN bought AS bo ON bo.customer_id = c.customer_id
),
written_to AS (
  SELECT coalesce(o.owner, m.customer_id) AS customer_id, CAST(sum(m.messages) AS INTEGER) AS messages
  FROM messages_now AS m
  LEFT JOIN owners_now AS o ON o.customer_id = m.customer_id
  GROUP BY 1
)
SELECT
  coalesce(o.customer_id, w.customer_id) AS customer_id, coalesce(o.orders, 0) AS orders, o.first_at, o.second_at, o.last_at,
  o.last_amount, o.first_day, o.second_day, o.last_day, coalesce(o.revenue, 0) AS revenue,
  coalesce(o.gross_profit, 0) AS gross_profit, coalesce(o.coupon_yen, 0) AS coupon_yen, coalesce(w.messages, 0) AS messages,
  coalesce(o.months_active, 0) AS months_active, o.categories, o.days, o.void_days
FROM ordering AS o
FULL JOIN written_to AS w ON w.customer_id = o.customer_id
WHERE o.days IS NOT NULL OR o.void_days IS NOT NULL OR w.customer_id IS NOT NULL
