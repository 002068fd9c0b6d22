WITH cohorts AS (
    SELECT day_of(sold_at) AS date, sum(returns) AS came_back FROM movements WHERE lines = 0 GROUP BY ALL
)
SELECT
    day_of(moment) AS date,
    count(DISTINCT order_id) FILTER (lines = 1) AS orders,
    sum(lines)::BIGINT AS lines,
    sum(units)::BIGINT AS units,
    money(sum(gross)) AS gross,
    money(sum(discounts)) AS discounts,
    money(sum(revenue)) AS revenue,
    sum(returned_units)::BIGINT AS returned_units,
    money(sum(returns)) AS returns,
    money(sum(gross) - sum(discounts) - sum(returns)) AS net,
    count(DISTINCT user_id) FILTER (lines = 1) AS customers,
    money(over(sum(revenue), count(DISTINCT order_id) FILTER (lines = 1))) AS average_order_value,
    money(coalesce(any_value(came_back), 0)) AS returned_of_orders,
    share(coalesce(any_value(came_back), 0), sum(revenue)) AS returned_share
FROM movements LEFT JOIN cohorts ON cohorts.date = day_of(moment)
GROUP BY day_of(moment)
