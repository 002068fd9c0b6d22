-- Revenue by hour of the last seven days.
SELECT day, hour, sum(revenue) AS revenue, count(*) AS lines
FROM {sales} s WHERE day > (SELECT max(day) FROM {sales} n) - INTERVAL '7 days' GROUP BY 1, 2 ORDER BY 1, 2
