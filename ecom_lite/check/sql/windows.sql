-- Minutes that end at or before the watermark are closed: Spark will not change them any more.
WITH closed AS (
    SELECT max(watermark) AS until FROM ecom.realtime.stream_progress
), facts AS (
    SELECT count(*) AS lines, coalesce(sum(f.revenue), 0) AS revenue
    FROM ecom.warehouse.fact_sales f, closed
    WHERE date_trunc('minute', f.ordered_at) + INTERVAL 1 MINUTE <= closed.until
), windows AS (
    SELECT coalesce(sum(w.lines), 0)::BIGINT AS lines, coalesce(sum(w.revenue), 0) AS revenue
    FROM ecom.realtime.sales_per_minute w, closed
    WHERE w.window_start + INTERVAL 1 MINUTE <= closed.until
)
SELECT closed.until, facts.lines AS fact_lines, facts.revenue AS fact_revenue, windows.lines AS window_lines,
       windows.revenue AS window_revenue,
       (SELECT coalesce(sum(late_rows), 0)::BIGINT FROM ecom.realtime.stream_progress) AS late_rows
FROM closed, facts, windows
