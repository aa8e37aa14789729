-- From when until when those were written to of whom somebody is part now, or was. Reads moved, owners_now, messages_now.
WITH who AS (
  SELECT customer_id FROM moved
  UNION
  SELECT owner_now FROM moved WHERE customer_id NOT LIKE 'anon:%'
  UNION
  SELECT owner_then FROM moved WHERE customer_id NOT LIKE 'anon:%'
  UNION
  SELECT o.customer_id
  FROM moved AS m
  JOIN owners_now AS o ON o.owner = m.owner_now OR o.owner = m.owner_then
  WHERE m.customer_id NOT LIKE 'anon:%'
)
SELECT n.first_day, n.last_day
FROM who AS w
JOIN messages_now AS n ON n.customer_id = w.customer_id
