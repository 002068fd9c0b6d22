WITH firsts AS (
    SELECT user_id, day_of(min(moment)) AS first_day FROM sold GROUP BY user_id
), days AS (
    SELECT
        day_of(moment) AS date, user_id, day_of(moment) = first_day AS is_new, sum(lines) AS lines,
        count(DISTINCT order_id) FILTER (lines = 1) AS orders, sum(revenue) - sum(returns) AS net
    FROM movements JOIN firsts USING (user_id) GROUP BY ALL
)
SELECT
    date, count(*) FILTER (lines > 0) AS customers, count(*) FILTER (is_new) AS new_customers,
    count(*) FILTER (lines > 0 AND NOT is_new) AS returning_customers,
    coalesce(sum(orders) FILTER (is_new), 0)::BIGINT AS orders_of_new, coalesce(sum(orders) FILTER (NOT is_new), 0)::BIGINT AS orders_of_returning,
    money(coalesce(sum(net) FILTER (is_new), 0)) AS net_of_new, money(coalesce(sum(net) FILTER (NOT is_new), 0)) AS net_of_returning
FROM days GROUP BY date
