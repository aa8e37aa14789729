-- The days on which whoever now belongs to somebody else had orders, and those of whom a customer was merged into: coupons
-- and corrections of the one may be of the other's orders. Unlinked friends have neither. Reads moved and order_days.
SELECT DISTINCT d.day
FROM (
  SELECT owner_then AS customer_id FROM moved
  UNION
  SELECT owner_now FROM moved WHERE customer_id NOT LIKE 'anon:%'
) AS m
JOIN order_days AS d ON d.customer_id = m.customer_id
