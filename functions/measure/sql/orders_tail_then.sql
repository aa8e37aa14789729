-- The orders of whose orders change, from the first day that changes, as they were. Reads orders_then and changed.
SELECT t.*
FROM orders_then AS t
JOIN changed AS c ON c.customer_id = t.customer_id AND t.day >= c.from_day
