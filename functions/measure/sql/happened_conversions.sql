-- What conversions count for, of each goal by its name and of the first goal without one too. Reads conversions_now.
WITH counted AS (
  SELECT *, goal AS counts_for FROM conversions_now
  UNION ALL
  SELECT *, '' FROM conversions_now WHERE goal = $first_goal
)
SELECT day, part, counts_for AS goal, scenario, campaign, run, step, variant, kind, segment, '' AS reason, '' AS category,
  CAST(sum(value) AS DOUBLE) AS value
FROM (
  SELECT c.*, p.part,
    CASE p.part
      WHEN 'converted_yen' THEN c.value_yen
      WHEN 'converted_profit' THEN c.gross_profit
      WHEN 'converted_coupon' THEN c.coupon_yen
      WHEN 'converted_overlapping' THEN CASE WHEN c.sources > 1 THEN 1 ELSE 0 END
      ELSE 1
    END AS value
  FROM counted AS c
  JOIN (
    SELECT 'converted' AS part, 'last' AS model
    UNION ALL SELECT 'converted_yen', 'last'
    UNION ALL SELECT 'converted_profit', 'last'
    UNION ALL SELECT 'converted_coupon', 'last'
    UNION ALL SELECT 'converted_overlapping', 'last'
    UNION ALL SELECT 'converted_first', 'first'
  ) AS p ON p.model = c.model
) AS parts
GROUP BY day, part, counts_for, scenario, campaign, run, step, variant, kind, segment
