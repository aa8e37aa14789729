-- Who touched those who reached a goal, within the window before. Reads reached, contacts_now and owners_now.
WITH
touched AS (
  SELECT
    r.event_id, r.customer_id, c.send_id, c.at AS sent_at, c.scenario, c.campaign, c.run, c.step, c.variant, c.kind, c.segment,
    CASE WHEN c.campaign <> '' THEN 'campaign:' || c.campaign ELSE 'scenario:' || c.scenario END AS source
  FROM reached AS r
  JOIN (
    SELECT coalesce(o.owner, c.customer_id) AS owner, c.*
    FROM contacts_now AS c
    LEFT JOIN owners_now AS o ON o.customer_id = c.customer_id
  ) AS c ON c.owner = r.customer_id AND c.at <= r.at AND c.at > r.at - INTERVAL $within SECOND
),
sources AS (
  SELECT customer_id, event_id, CAST(sum(touches) AS INTEGER) AS touches, CAST(count(*) AS INTEGER) AS sources,
    string_agg(source, ',' ORDER BY source) AS touched_by
  FROM (SELECT customer_id, event_id, source, count(*) AS touches FROM touched GROUP BY customer_id, event_id, source) AS each_source
  GROUP BY customer_id, event_id
),
placed AS (
  SELECT
    t.*,
    row_number() OVER (PARTITION BY customer_id, event_id ORDER BY sent_at DESC, send_id DESC) AS from_last,
    row_number() OVER (PARTITION BY customer_id, event_id ORDER BY sent_at, send_id) AS from_first
  FROM touched AS t
)
SELECT
  $goal AS goal, r.order_id, r.event_id, r.customer_id, r.at, r.day, r.value_yen, r.gross_profit, r.coupon_yen,
  m.model, p.send_id, p.scenario, p.campaign, p.run, p.step, p.variant, p.kind, p.segment,
  s.touches, s.sources, s.touched_by
FROM reached AS r
JOIN sources AS s ON s.customer_id = r.customer_id AND s.event_id = r.event_id
JOIN placed AS p ON p.customer_id = r.customer_id AND p.event_id = r.event_id
JOIN (SELECT 'last' AS model UNION ALL SELECT 'first') AS m
  ON (m.model = 'last' AND p.from_last = 1) OR (m.model = 'first' AND p.from_first = 1)
