-- How many orders of each category everybody has. Reads categories_then, orders_tail_then and orders_tail.
SELECT customer_id, category, CAST(sum(orders) AS INTEGER) AS orders
FROM (
  SELECT customer_id, category, orders FROM categories_then
  UNION ALL
  SELECT customer_id, category, -1 FROM orders_tail_then WHERE NOT cancelled
  UNION ALL
  SELECT customer_id, category, 1 FROM orders_tail WHERE NOT cancelled
) AS counted
GROUP BY customer_id, category
HAVING sum(orders) > 0
