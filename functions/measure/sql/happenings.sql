-- The confirmed events of one name, each once, with whose they are. Reads events and owners_now.
SELECT event_id, customer_id, "at", day, name, imported, properties
FROM (
  SELECT
    e.event_id, coalesce(o.owner, e.customer_id) AS customer_id, e.at, e.day, e.name, e.imported, e.properties,
    row_number() OVER (
      PARTITION BY coalesce(o.owner, e.customer_id), e.event_id ORDER BY e.at, e.customer_id
    ) AS place
  FROM events AS e
  LEFT JOIN owners_now AS o ON o.customer_id = e.customer_id
  WHERE e.status = 'confirmed' AND e.name = $name
) AS placed
WHERE place = 1
