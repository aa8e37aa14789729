-- On which local days everybody had orders, cancelled ones too. Reads customers_then.
SELECT s.customer_id, u.day FROM customers_then AS s CROSS JOIN UNNEST(s.days) AS u (day)
UNION ALL
SELECT s.customer_id, u.day FROM customers_then AS s CROSS JOIN UNNEST(s.void_days) AS u (day)
