-- Who follows the account, by what came last. Reads friends_then and friendships (the days that were touched).
SELECT customer_id, change, "at", event_id
FROM (
  SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY "at" DESC, event_id DESC) AS place
  FROM (
    SELECT customer_id, change, "at", event_id FROM friends_then
    UNION ALL
    SELECT customer_id, change, "at", event_id FROM friendships
  ) AS said
) AS placed
WHERE place = 1
