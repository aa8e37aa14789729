-- Of those whose first order was in a month, how many ordered in each month after it. Reads customers.
SELECT c.cohort, k.month, count(*) AS customers, CAST(sum((c.months_active >> k.month) & 1) AS BIGINT) AS active
FROM (
  SELECT CAST(date_trunc('month', first_day) AS DATE) AS cohort, months_active FROM customers
  WHERE first_day BETWEEN $first AND $last
) AS c
CROSS JOIN UNNEST(generate_series(0, 60)) AS k (month)
WHERE date_diff('month', c.cohort, $last) >= k.month
GROUP BY c.cohort, k.month
ORDER BY c.cohort, k.month
