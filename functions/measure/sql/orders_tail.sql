-- The same orders as they are: numbered on from what the customer had before them.
-- Reads changed, orders_tail_then, orders_base, days_read, customers_then and categories_then.
WITH
base AS (
  SELECT b.order_id, b.event_id, b.customer_id, b.at, b.day, b.amount, b.gross_profit, b.coupon_yen, b.category, b.item,
    b.cancelled, b.imported
  FROM orders_base AS b
  JOIN changed AS c ON c.customer_id = b.customer_id AND b.day >= c.from_day
  UNION ALL
  SELECT t.order_id, t.event_id, t.customer_id, t.at, t.day, t.amount, t.gross_profit, t.coupon_yen, t.category, t.item,
    t.cancelled, t.imported
  FROM orders_tail_then AS t
  LEFT JOIN days_read AS r ON r.day = t.day
  WHERE r.day IS NULL
),
dropped AS (
  SELECT customer_id, count(*) AS orders FROM orders_tail_then WHERE NOT cancelled GROUP BY customer_id
),
first_dropped AS (
  SELECT customer_id, previous_at, previous_amount
  FROM (
    SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY number) AS place FROM orders_tail_then WHERE NOT cancelled
  ) AS placed
  WHERE place = 1
),
before AS (
  SELECT
    c.customer_id,
    coalesce(s.orders, 0) - coalesce(d.orders, 0) AS orders,
    CASE WHEN f.customer_id IS NULL THEN s.last_at ELSE f.previous_at END AS last_at,
    CASE WHEN f.customer_id IS NULL THEN s.last_amount ELSE f.previous_amount END AS last_amount
  FROM changed AS c
  LEFT JOIN customers_then AS s ON s.customer_id = c.customer_id
  LEFT JOIN dropped AS d ON d.customer_id = c.customer_id
  LEFT JOIN first_dropped AS f ON f.customer_id = c.customer_id
),
known AS (
  SELECT customer_id, category
  FROM (
    SELECT customer_id, category, orders FROM categories_then
    UNION ALL
    SELECT customer_id, category, -1 FROM orders_tail_then WHERE NOT cancelled
  ) AS counted
  GROUP BY customer_id, category
  HAVING sum(orders) > 0
),
live AS (
  SELECT
    b.*,
    row_number() OVER (PARTITION BY b.customer_id ORDER BY b.at, b.event_id) AS place,
    lag(b.at) OVER (PARTITION BY b.customer_id ORDER BY b.at, b.event_id) AS lag_at,
    lag(b.amount) OVER (PARTITION BY b.customer_id ORDER BY b.at, b.event_id) AS lag_amount,
    row_number() OVER (PARTITION BY b.customer_id, b.category ORDER BY b.at, b.event_id) AS category_place
  FROM base AS b
  WHERE NOT b.cancelled
)
SELECT
  l.order_id, l.event_id, l.customer_id, l.at, l.day, l.amount, l.gross_profit, l.coupon_yen, l.category, l.item,
  l.cancelled, l.imported,
  CAST(f.orders + l.place AS INTEGER) AS number,
  CASE WHEN l.place = 1 THEN f.last_at ELSE l.lag_at END AS previous_at,
  CASE WHEN l.place = 1 THEN f.last_amount ELSE l.lag_amount END AS previous_amount,
  l.category <> '' AND l.category_place = 1 AND k.customer_id IS NULL AS new_category
FROM live AS l
JOIN before AS f ON f.customer_id = l.customer_id
LEFT JOIN known AS k ON k.customer_id = l.customer_id AND k.category = l.category
UNION ALL
SELECT
  b.order_id, b.event_id, b.customer_id, b.at, b.day, b.amount, b.gross_profit, b.coupon_yen, b.category, b.item,
  b.cancelled, b.imported,
  CAST(NULL AS INTEGER), CAST(NULL AS TIMESTAMP), CAST(NULL AS BIGINT), FALSE
FROM base AS b
WHERE b.cancelled
