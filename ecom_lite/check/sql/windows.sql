-- Minutes that end at or before the watermark are closed: Spark will not change them any more. The watermark is one that the
-- loader has caught up with.
WITH closed AS (
    SELECT %(watermark)s::timestamptz AS until
), facts AS (
    SELECT count(*) AS lines
    FROM warehouse.fact_sales
    WHERE ordered_at < date_trunc('minute', (SELECT until FROM closed), 'UTC')
), windows AS (
    SELECT coalesce(sum(lines), 0)::bigint AS lines
    FROM realtime.minutes_by_currency
    WHERE window_start + INTERVAL '1 minute' <= (SELECT until FROM closed)
)
SELECT closed.until, facts.lines AS fact_lines, windows.lines AS window_lines,
       (SELECT coalesce(sum(late_rows), 0)::bigint FROM realtime.stream_progress) AS late_rows,
       (SELECT coalesce(sum(lines), 0)::bigint FROM ops.repeated_lines
        WHERE window_start + INTERVAL '1 minute' <= closed.until) AS repeated_lines
FROM closed, facts, windows
