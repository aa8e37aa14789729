-- Orders as their own events, corrections and coupons have them; nothing here depends on another order.
-- Reads happenings, corrections and coupons.
WITH
placed AS (
  SELECT
    h.event_id, h.customer_id, h.at, h.day, h.imported,
    coalesce(json_extract_string(h.properties, $id_path), h.event_id) AS order_id,
    coalesce(json_extract_string(h.properties, $category_path), '') AS category,
    coalesce(json_extract_string(h.properties, $item_path), '') AS item,
    coalesce(CAST(round(CAST(json_extract_string(h.properties, $value_path) AS DOUBLE)) AS BIGINT), 0) AS amount,
    coalesce(CAST(round(CAST(json_extract_string(h.properties, $profit_path) AS DOUBLE)) AS BIGINT), 0) AS profit,
    coalesce(c.taken_back, FALSE) AS cancelled,
    coalesce(c.less_yen, 0) AS less_yen,
    coalesce(c.less_profit, 0) AS less_profit
  FROM happenings AS h
  LEFT JOIN corrections AS c ON c.event_id = h.event_id AND c.customer_id = h.customer_id
),
-- A coupon goes with the order that it names, or else with the nearest of the same customer and local day.
candidates AS (
  SELECT
    c.customer_id, c.event_id AS coupon_id, c.yen, p.event_id,
    row_number() OVER (
      PARTITION BY c.customer_id, c.event_id
      ORDER BY p.cancelled, abs(date_diff('second', c.at, p.at)), p.at, p.event_id
    ) AS place
  FROM coupons AS c
  JOIN placed AS p ON p.customer_id = c.customer_id AND p.day = c.day
  WHERE c.order_id IS NULL OR c.order_id = p.order_id
),
spent AS (
  SELECT customer_id, event_id, CAST(sum(yen) AS BIGINT) AS yen FROM candidates WHERE place = 1 GROUP BY customer_id, event_id
)
SELECT
  p.order_id, p.event_id, p.customer_id, p.at, p.day, p.amount - p.less_yen AS amount,
  CASE
    WHEN $has_profit AND p.less_profit <> 0 THEN p.profit - p.less_profit
    WHEN $has_profit AND p.amount <> 0
      THEN CAST(round(CAST(p.profit AS DOUBLE) * (p.amount - p.less_yen) / p.amount) AS BIGINT)
    WHEN $has_profit THEN p.profit
    ELSE CAST(round((p.amount - p.less_yen) * $margin) AS BIGINT)
  END AS gross_profit,
  coalesce(s.yen, 0) AS coupon_yen, p.category, p.item, p.cancelled, p.imported
FROM placed AS p
LEFT JOIN spent AS s ON s.customer_id = p.customer_id AND s.event_id = p.event_id
