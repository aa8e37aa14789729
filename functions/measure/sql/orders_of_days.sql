-- All orders of the days that are written anew. Reads orders_then, changed and orders_tail.
SELECT t.order_id, t.event_id, t.customer_id, t.at, t.day, t.amount, t.gross_profit, t.coupon_yen, t.category, t.item, t.cancelled, t.imported,
  t.number, t.previous_at, t.previous_amount, t.new_category
FROM orders_then AS t
LEFT JOIN changed AS c ON c.customer_id = t.customer_id AND t.day >= c.from_day
WHERE c.customer_id IS NULL
UNION ALL
SELECT order_id, event_id, customer_id, "at", day, amount, gross_profit, coupon_yen, category, item, cancelled, imported,
  number, previous_at, previous_amount, new_category
FROM orders_tail
