-- Revenue and orders by month.
SELECT date_trunc('month', day) AS month, sum(revenue) AS revenue, count(*) AS orders
FROM {orders} o GROUP BY 1 ORDER BY 1
