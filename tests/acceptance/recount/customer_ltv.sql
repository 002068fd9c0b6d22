WITH customers AS (
    SELECT
        user_id, count(DISTINCT order_id) AS lifetime_orders, sum(lines)::BIGINT AS lines, sum(units)::BIGINT AS items, sum(gross) AS gross,
        sum(discounts) AS discounts, sum(revenue) AS revenue, sum(returned_units)::BIGINT AS returned_units, sum(returns) AS returns,
        min(sold_at) AS first_order_at, max(sold_at) AS last_order_at
    FROM movements GROUP BY user_id
), of_now AS (
    SELECT user_id, arg_max_null(name, moment) AS name, arg_max_null(city, moment) AS city, arg_max_null(country, moment) AS country
    FROM profiles GROUP BY user_id
)
SELECT
    user_id, name, city, country, lifetime_orders, money(revenue - returns) AS lifetime_value,
    money(over(revenue, lifetime_orders)) AS average_order_value, lines, items, money(gross) AS gross, money(discounts) AS discounts,
    money(revenue) AS revenue, returned_units, money(returns) AS returns, first_order_at, last_order_at,
    (day_of(last_order_at) - day_of(first_order_at))::INTEGER AS tenure_days,
    CASE WHEN lifetime_orders < 10 THEN 'Casual' WHEN lifetime_orders < 20 THEN 'Regular' ELSE 'VIP' END AS segment
FROM customers LEFT JOIN of_now USING (user_id)
