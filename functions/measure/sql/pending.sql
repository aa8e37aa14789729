-- Where the originals of new corrections may be: on a day on which their customer ordered.
-- Reads amendments_new, amendments_then, owners_then and order_days.
SELECT DISTINCT n.key, n.property, d.day
FROM amendments_new AS n
LEFT JOIN amendments_then AS t ON t.event_id = n.event_id AND t.customer_id = n.customer_id
LEFT JOIN owners_then AS o ON o.customer_id = n.customer_id
JOIN order_days AS d ON d.customer_id = coalesce(o.owner, n.customer_id)
WHERE t.event_id IS NULL
