-- What coupons cost: all that were used, but for those of orders that were cancelled. Reads coupons and orders_now.
SELECT day, 'coupon_yen' AS part, '' AS goal, '' AS scenario, '' AS campaign, '' AS run, '' AS step, '' AS variant, '' AS kind,
  '' AS segment, '' AS reason, '' AS category, CAST(sum(yen) AS DOUBLE) AS value
FROM (
  SELECT day, yen FROM coupons
  UNION ALL
  SELECT day, -coupon_yen FROM orders_now WHERE cancelled
) AS spent
GROUP BY day
