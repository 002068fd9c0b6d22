-- How many customers have ordered how often.
SELECT least(orders, 50) AS orders, count(*) AS customers, sum(revenue) AS revenue
FROM (SELECT user_id, count(DISTINCT order_id) AS orders, sum(revenue) AS revenue FROM {sales} s GROUP BY 1) c
GROUP BY 1 ORDER BY 1
