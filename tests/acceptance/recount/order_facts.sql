WITH orders AS (
    SELECT
        order_id, user_id, min(sold_at) AS ordered_at, max(sold_at) AS last_line_at, day_of(min(sold_at)) AS order_date,
        sum(lines)::BIGINT AS lines, sum(units)::BIGINT AS units, money(sum(gross)) AS gross, money(sum(discounts)) AS discounts,
        money(sum(revenue)) AS revenue, sum(returned_units)::BIGINT AS returned_units, money(sum(returns)) AS returns,
        money(sum(revenue) - sum(returns)) AS net
    FROM movements GROUP BY order_id, user_id
)
SELECT *, (order_date - lag(order_date) OVER (PARTITION BY user_id ORDER BY ordered_at, order_id))::INTEGER AS days_since_order_before
FROM orders
