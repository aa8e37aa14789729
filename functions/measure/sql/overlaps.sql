-- Conversions that several scenarios and campaigns touched, by who got them and who else had part. Reads conversions.
SELECT
  goal, CASE WHEN campaign <> '' THEN 'campaign:' || campaign ELSE 'scenario:' || scenario END AS source, touched_by,
  count(*) AS conversions, CAST(sum(value_yen) AS BIGINT) AS value_yen
FROM conversions
WHERE model = 'last' AND sources > 1 AND day BETWEEN $first AND $last
GROUP BY 1, 2, 3
ORDER BY conversions DESC, source, touched_by
