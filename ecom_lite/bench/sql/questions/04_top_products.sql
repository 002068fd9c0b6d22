-- The twenty products with the most revenue.
SELECT product_id, product_title, sum(quantity) AS units, sum(revenue) AS revenue
FROM {sales} s GROUP BY 1, 2 ORDER BY revenue DESC, product_id LIMIT 20
