-- With Spark: what it has closed is the records', but for lines that it says it has dropped as late; the orders by minute are exact.
WITH lines AS (
    SELECT order_id, any_value(moment) AS moment, any_value(category) AS category, any_value(quantity) AS quantity, any_value(revenue) AS revenue
    FROM judged WHERE kind = 'order' GROUP BY order_id, product_id
), spark AS (
    SELECT max(watermark) AS watermark, coalesce(sum(late_rows), 0) AS late FROM ecom.realtime.stream_progress
), expected AS (
    SELECT date_trunc('minute', moment) AS minute, category, count(*) AS lines,
           concat_ws(' ', count(*), count(DISTINCT order_id), sum(quantity), sum(revenue)::DECIMAL(24, 4)) AS says
    FROM lines, spark WHERE date_trunc('minute', moment) + INTERVAL 1 MINUTE <= spark.watermark GROUP BY ALL
), found AS (
    SELECT window_start AS minute, category, lines, concat_ws(' ', lines, orders, units, revenue::DECIMAL(24, 4)) AS says
    FROM ecom.realtime.sales_per_minute, spark WHERE window_start + INTERVAL 1 MINUTE <= spark.watermark
), both_ AS (
    SELECT minute, category, coalesce(e.lines, 0) AS expected, coalesce(f.lines, 0) AS found, e.says AS expected_says, f.says AS found_says
    FROM expected e FULL JOIN found f USING (minute, category)
), all_expected AS (
    SELECT date_trunc('minute', moment) AS minute,
           concat_ws(' ', count(*), count(DISTINCT order_id), sum(quantity), sum(revenue)::DECIMAL(24, 4)) AS says
    FROM lines GROUP BY ALL
), all_found AS (
    SELECT window_start AS minute, concat_ws(' ', lines, orders, units, revenue::DECIMAL(24, 4)) AS says FROM ecom.realtime.orders_per_minute
)
SELECT format('closed minute {} {}', minute, category), coalesce(expected_says, 'no row'), coalesce(found_says, 'no row')
FROM both_, spark
WHERE found > expected OR (late = 0 AND expected_says IS DISTINCT FROM found_says)
UNION ALL
SELECT 'lines missing in closed minutes', format('at most {} that were dropped as late', any_value(late)), sum(expected - found)::VARCHAR
FROM both_, spark HAVING sum(expected - found) > any_value(late)
UNION ALL
SELECT format('minute {}', minute), coalesce(e.says, 'no row'), coalesce(f.says, 'no row')
FROM all_expected e FULL JOIN all_found f USING (minute) WHERE e.says IS DISTINCT FROM f.says
ORDER BY 1
