-- The twenty customers with the most revenue, and how many orders that were.
SELECT user_id, sum(revenue) AS revenue, count(*) AS orders
FROM {orders} o GROUP BY 1 ORDER BY revenue DESC, user_id LIMIT 20
