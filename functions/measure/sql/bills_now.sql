-- Each month's messages, and the price that is paid: of months whose messages changed, the playbook's of now.
-- Reads bills_then, and contacts_then and contacts_new over the days that changed.
WITH counted AS (
  SELECT month, sum(messages) AS messages, bool_or(is_new) AS is_new
  FROM (
    SELECT month, messages, FALSE AS is_new FROM bills_then
    UNION ALL
    SELECT CAST(date_trunc('month', day) AS DATE), -1, TRUE FROM contacts_then
    UNION ALL
    SELECT CAST(date_trunc('month', day) AS DATE), 1, TRUE FROM contacts_new
  ) AS each_message
  GROUP BY month
  HAVING sum(messages) > 0
)
SELECT
  c.month, CAST(c.messages AS BIGINT) AS messages,
  CASE WHEN c.is_new OR b.month IS NULL THEN $plan_yen ELSE b.plan_yen END AS plan_yen,
  CASE WHEN c.is_new OR b.month IS NULL THEN $free_messages ELSE b.free_messages END AS free_messages,
  CASE WHEN c.is_new OR b.month IS NULL THEN CAST($yen_each AS DOUBLE) ELSE b.yen_each END AS yen_each
FROM counted AS c
LEFT JOIN bills_then AS b ON b.month = c.month
