-- What orders count for, by category. Reads orders_now.
WITH told AS (
  SELECT *, date_diff('second', previous_at, "at") AS gap FROM orders_now
)
SELECT day, part, '' AS goal, '' AS scenario, '' AS campaign, '' AS run, '' AS step, '' AS variant, '' AS kind, '' AS segment,
  '' AS reason, category, CASE WHEN part = 'interval_days' THEN sum(value) / 86400.0 ELSE CAST(sum(value) AS DOUBLE) END AS value
FROM (
  SELECT t.day, t.category, p.part,
    CASE p.part
      WHEN 'placed' THEN 1
      WHEN 'cancelled' THEN CASE WHEN t.cancelled THEN 1 ELSE 0 END
      WHEN 'orders' THEN CASE WHEN t.cancelled THEN 0 ELSE 1 END
      WHEN 'revenue' THEN CASE WHEN t.cancelled THEN 0 ELSE t.amount END
      WHEN 'gross_profit' THEN CASE WHEN t.cancelled THEN 0 ELSE t.gross_profit END
      WHEN 'first_orders' THEN CASE WHEN t.number = 1 THEN 1 ELSE 0 END
      WHEN 'second_orders' THEN CASE WHEN t.number = 2 THEN 1 ELSE 0 END
      WHEN 'later_orders' THEN CASE WHEN t.number >= 3 THEN 1 ELSE 0 END
      WHEN 'repeat_orders' THEN CASE WHEN t.number >= 2 THEN 1 ELSE 0 END
      WHEN 'interval_days' THEN CASE WHEN t.number >= 2 THEN t.gap ELSE 0 END
      WHEN 'win_backs' THEN CASE WHEN t.gap > $dormant THEN 1 ELSE 0 END
      WHEN 'win_back_yen' THEN CASE WHEN t.gap > $dormant THEN t.amount ELSE 0 END
      WHEN 'upsells' THEN CASE WHEN t.number >= 2 AND t.amount > t.previous_amount THEN 1 ELSE 0 END
      WHEN 'cross_sells' THEN CASE WHEN t.number >= 2 AND t.new_category THEN 1 ELSE 0 END
    END AS value
  FROM told AS t
  CROSS JOIN (
    SELECT 'placed' AS part
    UNION ALL SELECT 'cancelled'
    UNION ALL SELECT 'orders'
    UNION ALL SELECT 'revenue'
    UNION ALL SELECT 'gross_profit'
    UNION ALL SELECT 'first_orders'
    UNION ALL SELECT 'second_orders'
    UNION ALL SELECT 'later_orders'
    UNION ALL SELECT 'repeat_orders'
    UNION ALL SELECT 'interval_days'
    UNION ALL SELECT 'win_backs'
    UNION ALL SELECT 'win_back_yen'
    UNION ALL SELECT 'upsells'
    UNION ALL SELECT 'cross_sells'
  ) AS p
) AS parts
GROUP BY day, part, category
