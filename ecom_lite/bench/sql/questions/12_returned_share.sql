-- The share of the units that came back, by category.
SELECT s.category, sum(s.quantity) AS units, coalesce(sum(r.units), 0) AS returned
FROM {sales} s
LEFT JOIN (SELECT order_id, product_id, sum(quantity) AS units FROM {returns} t GROUP BY 1, 2) r
       ON r.order_id = s.order_id AND r.product_id = s.product_id
GROUP BY 1 ORDER BY 1
