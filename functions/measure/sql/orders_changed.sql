-- Whose orders are others than they were, and from which day on. Reads orders_base and orders_then over the same days.
WITH
now AS (
  SELECT order_id, event_id, customer_id, "at", day, amount, gross_profit, coupon_yen, category, item, cancelled, imported
  FROM orders_base
),
before AS (
  SELECT order_id, event_id, customer_id, "at", day, amount, gross_profit, coupon_yen, category, item, cancelled, imported
  FROM orders_then
),
differing AS (
  (SELECT * FROM now EXCEPT SELECT * FROM before)
  UNION ALL
  (SELECT * FROM before EXCEPT SELECT * FROM now)
)
SELECT customer_id, min(day) AS from_day FROM differing GROUP BY customer_id
