-- How many messages everybody was sent. Reads messages_then, and contacts_then and contacts_new over the days that changed.
SELECT customer_id, CAST(sum(messages) AS INTEGER) AS messages, min(first_day) AS first_day, max(last_day) AS last_day
FROM (
  SELECT customer_id, messages, first_day, last_day FROM messages_then
  UNION ALL
  SELECT customer_id, -1, CAST(NULL AS DATE), CAST(NULL AS DATE) FROM contacts_then
  UNION ALL
  SELECT customer_id, 1, day, day FROM contacts_new
) AS counted
GROUP BY customer_id
HAVING sum(messages) > 0
