-- What the corrections of one name say. Reads events (the days that were touched).
SELECT
  event_id,
  customer_id,
  $event AS event,
  $property AS property,
  json_extract_string(properties, $key_path) AS key,
  $taken_back AS taken_back,
  coalesce(CAST(round(CAST(json_extract_string(properties, $less_path) AS DOUBLE)) AS BIGINT), 0) AS less_yen,
  coalesce(CAST(round(CAST(json_extract_string(properties, $less_profit_path) AS DOUBLE)) AS BIGINT), 0) AS less_profit,
  "at"
FROM events
WHERE name = $name AND status = 'confirmed' AND json_extract_string(properties, $key_path) IS NOT NULL
