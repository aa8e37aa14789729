-- Whose everybody is: the latest that was said of each id, followed along the chain of merges.
-- Reads people (the days that were touched) and owners_then (the snapshot before).
WITH RECURSIVE
said AS (
  SELECT customer_id, owner AS said, unit, linked, "at", seen_at FROM people
  UNION ALL
  SELECT customer_id, said, unit, linked, "at", seen_at FROM owners_then
),
latest AS (
  SELECT customer_id, said, unit, linked, "at", seen_at
  FROM (
    SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY "at" DESC, seen_at DESC, said) AS place
    FROM said
  ) AS placed
  WHERE place = 1
),
chain (customer_id, owner, steps) AS (
  SELECT customer_id, said, 1 FROM latest
  UNION ALL
  SELECT c.customer_id, l.said, c.steps + 1
  FROM chain AS c
  JOIN latest AS l ON l.customer_id = c.owner
  WHERE l.said <> c.owner AND c.steps < 20
),
ends AS (
  SELECT customer_id, owner
  FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY steps DESC) AS place FROM chain) AS placed
  WHERE place = 1
)
SELECT l.customer_id, l.said, e.owner, l.unit, l.linked, l.at, l.seen_at
FROM latest AS l
JOIN ends AS e ON e.customer_id = l.customer_id
