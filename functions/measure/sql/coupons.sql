-- Coupons that were used, each once, with whose they were. Reads happenings.
SELECT
  event_id, customer_id, "at", day,
  coalesce(CAST(round(CAST(json_extract_string(properties, $value_path) AS DOUBLE)) AS BIGINT), 0) AS yen,
  json_extract_string(properties, $id_path) AS order_id
FROM happenings
