-- How many customers have ordered how often.
SELECT least(orders, 50) AS orders, count(*) AS customers, sum(revenue) AS revenue
FROM (SELECT user_id, count(*) AS orders, sum(revenue) AS revenue FROM {orders} o GROUP BY 1) c
GROUP BY 1 ORDER BY 1
