-- Who is in which segment, by what came last. Reads members_then and memberships (the days that were touched).
SELECT customer_id, segment, change, "at", seen_at
FROM (
  SELECT *, row_number() OVER (PARTITION BY customer_id, segment ORDER BY "at" DESC, seen_at DESC, change) AS place
  FROM (
    SELECT customer_id, segment, change, "at", seen_at FROM members_then
    UNION ALL
    SELECT customer_id, segment, change, "at", seen_at FROM memberships
  ) AS said
) AS placed
WHERE place = 1
