-- Records that hold lists of order lines, judged by the loader -> the lines, as order_lines gives them: all are valid.
WITH line AS (
    SELECT
        -- Not current_timestamp(): that is a constant of each micro-batch, for which Spark would compile all of this anew.
        CAST(reflect('java.lang.System', 'currentTimeMillis') AS BIGINT) AS now_ms,
        explode(from_json(CAST(value AS STRING), :type)) AS l
    FROM judged_records
)
SELECT
    l.order_id, l.product_id, l.category, l.quantity, CAST(l.revenue * 10000 AS BIGINT) AS revenue_e4, l.currency,
    timestamp_micros(l.ordered_us) AS ordered_at,
    true AS valid,
    l.ordered_us > (now_ms + :ahead_ms) * 1000 AS ahead
FROM line
