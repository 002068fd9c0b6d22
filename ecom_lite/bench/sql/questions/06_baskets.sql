-- The average order by day: its lines and its worth.
SELECT day, count(*) AS orders, avg(lines) AS lines, avg(revenue) AS worth
FROM {orders} o GROUP BY 1 ORDER BY 1
