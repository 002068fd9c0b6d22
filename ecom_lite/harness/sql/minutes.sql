-- The figures by minute are the records': every minute and category of `realtime.sales_per_minute`, every minute of `orders_per_minute`.
WITH lines AS (
    SELECT order_id, any_value(moment) AS moment, any_value(category) AS category, any_value(quantity) AS quantity, any_value(revenue) AS revenue
    FROM judged WHERE kind = 'order' GROUP BY order_id, product_id
), expected AS (
    SELECT date_trunc('minute', moment) AS minute, coalesce(category, '(all)') AS category,
           concat_ws(' ', count(*), count(DISTINCT order_id), sum(quantity), sum(revenue)::DECIMAL(24, 4)) AS says
    FROM lines GROUP BY GROUPING SETS ((date_trunc('minute', moment), category), (date_trunc('minute', moment)))
), found AS (
    SELECT window_start AS minute, category, concat_ws(' ', lines, orders, units, revenue::DECIMAL(24, 4)) AS says
    FROM ecom.realtime.sales_per_minute
    UNION ALL
    SELECT window_start, '(all)', concat_ws(' ', lines, orders, units, revenue::DECIMAL(24, 4)) FROM ecom.realtime.orders_per_minute
)
SELECT format('minute {} {}', minute, category), coalesce(e.says, 'no row'), coalesce(f.says, 'no row')
FROM expected e FULL JOIN found f USING (minute, category)
WHERE e.says IS DISTINCT FROM f.says
ORDER BY 1
