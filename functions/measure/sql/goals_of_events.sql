-- What counts as reaching a goal that is no order. Reads happenings, keys and corrections.
SELECT
  h.event_id, coalesce(k.key, h.event_id) AS order_id, h.customer_id, h.at, h.day, CAST(0 AS BIGINT) AS value_yen,
  CAST(0 AS BIGINT) AS gross_profit, CAST(0 AS BIGINT) AS coupon_yen
FROM happenings AS h
LEFT JOIN (
  SELECT customer_id, event_id, min(key) AS key FROM keys GROUP BY customer_id, event_id
) AS k ON k.event_id = h.event_id AND k.customer_id = h.customer_id
LEFT JOIN corrections AS c ON c.event_id = h.event_id AND c.customer_id = h.customer_id
WHERE NOT coalesce(c.taken_back, FALSE)
