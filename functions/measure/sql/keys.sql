-- What corrections name the happenings by, of one property. Reads happenings.
SELECT event_id, customer_id, "at", name AS event, $property AS property, json_extract_string(properties, $path) AS key
FROM happenings
WHERE json_extract_string(properties, $path) IS NOT NULL
