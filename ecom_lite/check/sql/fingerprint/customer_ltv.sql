SELECT user_id, name, city, country, lifetime_orders, lifetime_value, average_order_value, items, first_order_at, last_order_at,
       tenure_days, segment
FROM marts.customer_ltv
ORDER BY length(user_id), user_id COLLATE "C"
