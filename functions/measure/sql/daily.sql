-- The parts of every day, by every kind of scope. Reads happened, days_told.
SELECT day, part, goal, scope_kind, scope, sum(value) AS value
FROM (
  SELECT
    h.day, h.part, h.goal, h.value, k.scope_kind,
    CASE k.scope_kind
      WHEN 'all' THEN ''
      WHEN 'scenario' THEN nullif(h.scenario, '')
      WHEN 'campaign' THEN nullif(h.campaign, '')
      WHEN 'run' THEN nullif(h.run, '')
      WHEN 'step' THEN CASE WHEN h.scenario <> '' AND h.step <> '' THEN h.scenario || '/' || h.step END
      WHEN 'variant' THEN CASE WHEN h.variant <> '' THEN h.scenario || h.campaign || '/' || h.step || '/' || h.variant END
      WHEN 'kind' THEN nullif(h.kind, '')
      WHEN 'segment' THEN nullif(h.segment, '')
      WHEN 'reason' THEN CASE WHEN h.part = 'suppressed' THEN nullif(h.reason, '') END
      WHEN 'category' THEN nullif(h.category, '')
    END AS scope
  FROM happened AS h
  JOIN days_told AS d ON d.day = h.day
  CROSS JOIN (
    SELECT 'all' AS scope_kind
    UNION ALL SELECT 'scenario'
    UNION ALL SELECT 'campaign'
    UNION ALL SELECT 'run'
    UNION ALL SELECT 'step'
    UNION ALL SELECT 'variant'
    UNION ALL SELECT 'kind'
    UNION ALL SELECT 'segment'
    UNION ALL SELECT 'reason'
    UNION ALL SELECT 'category'
  ) AS k
) AS scoped
WHERE scope IS NOT NULL
GROUP BY day, part, goal, scope_kind, scope
HAVING sum(value) <> 0
UNION ALL
SELECT DISTINCT h.day, 'dormant_days', '', 'all', '', CAST($dormant AS DOUBLE) / 86400
FROM happened AS h
JOIN days_told AS d ON d.day = h.day
