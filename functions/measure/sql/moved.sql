-- Who belongs to somebody else than before. Reads owners_now and owners_then.
SELECT n.customer_id, coalesce(t.owner, n.customer_id) AS owner_then, n.owner AS owner_now
FROM owners_now AS n
LEFT JOIN owners_then AS t ON t.customer_id = n.customer_id
WHERE n.owner <> coalesce(t.owner, n.customer_id)
