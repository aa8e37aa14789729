-- What counts as reaching a goal that is an order. Reads orders_now.
SELECT event_id, order_id, customer_id, "at", day, amount AS value_yen, gross_profit, coupon_yen
FROM orders_now
WHERE NOT cancelled AND ($when_number IS NULL OR number = $when_number)
