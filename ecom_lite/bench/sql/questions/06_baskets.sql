-- The average order by day: its lines and its worth.
SELECT day, count(*) AS orders, avg(lines) AS lines, avg(worth) AS worth
FROM (SELECT order_id, min(day) AS day, count(*) AS lines, sum(revenue) AS worth FROM {sales} s GROUP BY 1) o
GROUP BY 1 ORDER BY 1
