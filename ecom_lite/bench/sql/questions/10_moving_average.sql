-- Revenue by day with the average of the seven days that it ends.
SELECT day, revenue, avg(revenue) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS of_seven
FROM (SELECT day, sum(revenue) AS revenue FROM {sales} s GROUP BY 1) d ORDER BY day
