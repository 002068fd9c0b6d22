-- Revenue by hour of the last seven days.
SELECT date_trunc('hour', ordered_at) AS hour, sum(revenue) AS revenue, count(*) AS lines
FROM {sales} s WHERE ordered_at >= (SELECT max(ordered_at) FROM {sales} n) - INTERVAL '7 days' GROUP BY 1 ORDER BY 1
