-- Follows and blocks, and blocks that came soon after a message. Reads friendships and contacts_now.
SELECT day, CASE WHEN change = 'block' THEN 'blocks' ELSE 'follows' END AS part, '' AS goal, '' AS scenario, '' AS campaign,
  '' AS run, '' AS step, '' AS variant, '' AS kind, '' AS segment, '' AS reason, '' AS category,
  CAST(count(*) AS DOUBLE) AS value
FROM friendships
GROUP BY day, change
UNION ALL
SELECT day, 'blocked', '', scenario, campaign, run, step, variant, kind, segment, '', '', CAST(count(*) AS DOUBLE)
FROM (
  SELECT
    f.day, c.scenario, c.campaign, c.run, c.step, c.variant, c.kind, c.segment,
    row_number() OVER (PARTITION BY f.customer_id, f.event_id ORDER BY c.at DESC, c.send_id DESC) AS place
  FROM friendships AS f
  JOIN contacts_now AS c
    ON c.customer_id = f.customer_id AND c.at <= f.at AND c.at > f.at - INTERVAL $window SECOND
  WHERE f.change = 'block'
) AS blamed
WHERE place = 1
GROUP BY day, scenario, campaign, run, step, variant, kind, segment
