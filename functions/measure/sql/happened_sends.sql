-- What became of messages, by their source. Reads sends and targets.
WITH ended AS (
  SELECT
    s.day, s.scenario, s.campaign, s.run, s.step, s.variant, s.kind, coalesce(t.segment, '') AS segment, s.status,
    CASE WHEN s.status = 'suppressed' THEN s.reason ELSE '' END AS reason, s.held_out, count(*) AS messages
  FROM sends AS s
  LEFT JOIN targets AS t ON t.scenario = s.scenario AND t.campaign = s.campaign
  GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
)
SELECT e.day, p.part, '' AS goal, e.scenario, e.campaign, e.run, e.step, e.variant, e.kind, e.segment, e.reason,
  '' AS category, CAST(e.messages AS DOUBLE) AS value
FROM ended AS e
JOIN (
  SELECT 'targeted' AS part, '' AS status
  UNION ALL SELECT 'accepted', 'sent'
  UNION ALL SELECT 'failed', 'failed'
  UNION ALL SELECT 'unknown', 'unknown'
  UNION ALL SELECT 'suppressed', 'suppressed'
) AS p ON p.status = '' OR p.status = e.status
UNION ALL
SELECT e.day, 'held_out', '', e.scenario, e.campaign, e.run, e.step, e.variant, e.kind, e.segment, '', '',
  CAST(e.messages AS DOUBLE)
FROM ended AS e
WHERE e.held_out
