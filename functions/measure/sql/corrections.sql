-- What all corrections together say of each happening. They speak of events of their own customer alone.
-- Later ones than so many days after say nothing. Reads keys, amendments_now and owners_now.
SELECT
  k.event_id, k.customer_id, bool_or(a.taken_back) AS taken_back,
  CAST(sum(a.less_yen) AS BIGINT) AS less_yen, CAST(sum(a.less_profit) AS BIGINT) AS less_profit
FROM keys AS k
JOIN (
  -- A customer and one merged into it may both have been told of a correction: it is one.
  SELECT DISTINCT
    a.event_id, coalesce(o.owner, a.customer_id) AS customer_id, a.event, a.property, a.key, a.taken_back,
    a.less_yen, a.less_profit, a.at
  FROM amendments_now AS a
  LEFT JOIN owners_now AS o ON o.customer_id = a.customer_id
) AS a ON a.customer_id = k.customer_id AND a.event = k.event AND a.property = k.property AND a.key = k.key
  AND a.at <= k.at + INTERVAL $within_days DAY
GROUP BY k.event_id, k.customer_id
