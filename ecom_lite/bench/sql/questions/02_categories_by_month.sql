-- Units and revenue by category and month.
SELECT category, date_trunc('month', day) AS month, sum(quantity) AS units, sum(revenue) AS revenue
FROM {sales} s GROUP BY 1, 2 ORDER BY 1, 2
