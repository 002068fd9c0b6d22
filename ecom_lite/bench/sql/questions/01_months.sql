-- Revenue and orders by month.
SELECT date_trunc('month', day) AS month, sum(revenue) AS revenue, count(DISTINCT order_id) AS orders
FROM {sales} s GROUP BY 1 ORDER BY 1
