-- All corrections, each once. Reads amendments_then (the snapshot before) and amendments_new.
SELECT event_id, customer_id, event, property, key, taken_back, less_yen, less_profit, "at"
FROM amendments_then
UNION
SELECT event_id, customer_id, event, property, key, taken_back, less_yen, less_profit, "at"
FROM amendments_new
