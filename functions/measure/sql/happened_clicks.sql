-- Messages on the day on which a person first clicked one, within some days of it. Reads clicks and contacts_now.
SELECT f.day, 'clicked' AS part, '' AS goal, c.scenario, c.campaign, c.run, c.step, c.variant, c.kind, c.segment,
  '' AS reason, '' AS category, CAST(count(*) AS DOUBLE) AS value
FROM (SELECT send_id, min(day) AS day FROM clicks WHERE agent = 'person' GROUP BY send_id) AS f
JOIN contacts_now AS c ON c.send_id = f.send_id
WHERE date_diff('day', c.day, f.day) BETWEEN 0 AND $look_back
GROUP BY f.day, c.scenario, c.campaign, c.run, c.step, c.variant, c.kind, c.segment
