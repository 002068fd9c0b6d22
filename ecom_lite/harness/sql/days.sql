-- The marts of sales by day and by hour are the records', after a refresh of all that is loaded.
WITH lines AS (
    SELECT order_id, any_value(moment) AS moment, any_value(quantity) AS quantity, any_value(revenue) AS revenue
    FROM judged WHERE kind = 'order' GROUP BY order_id, product_id
), expected AS (
    SELECT 'day' AS span, date_trunc('day', moment)::TIMESTAMPTZ AS begins, concat_ws(' ', count(*), sum(quantity), sum(revenue)::DECIMAL(24, 2)) AS says
    FROM lines GROUP BY ALL
    UNION ALL
    SELECT 'hour', date_trunc('hour', moment), concat_ws(' ', count(*), sum(quantity), sum(revenue)::DECIMAL(24, 2)) FROM lines GROUP BY ALL
), found AS (
    SELECT 'day' AS span, date::TIMESTAMPTZ AS begins, concat_ws(' ', lines, units, revenue::DECIMAL(24, 2)) AS says
    FROM ecom.marts.daily_sales WHERE lines > 0
    UNION ALL
    SELECT 'hour', hour, concat_ws(' ', lines, units, revenue::DECIMAL(24, 2)) FROM ecom.marts.hourly_sales WHERE lines > 0
)
SELECT concat_ws(' ', 'sales of the', span, begins), coalesce(e.says, 'no row'), coalesce(f.says, 'no row')
FROM expected e FULL JOIN found f USING (span, begins)
WHERE e.says IS DISTINCT FROM f.says
ORDER BY 1
