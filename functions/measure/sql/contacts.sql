-- What was sent. Reads sends and targets.
SELECT
  s.send_id, s.customer_id, s.at, s.day, s.scenario, s.campaign, s.run, s.step, s.variant, s.kind,
  coalesce(t.segment, '') AS segment
FROM sends AS s
LEFT JOIN targets AS t ON t.scenario = s.scenario AND t.campaign = s.campaign
WHERE s.status = 'sent'
