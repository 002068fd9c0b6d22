-- The keys of fact_sales are the distinct keys of the valid lines, each once.
WITH expected AS (
    SELECT order_id, product_id, count(*) AS times FROM judged WHERE kind = 'order' GROUP BY ALL
), found AS (
    SELECT order_id, product_id, count(*) AS rows
    FROM ecom.warehouse.fact_sales LEFT JOIN ecom.warehouse.dim_product USING (product_key)
    GROUP BY ALL
)
SELECT format('order {} product {}', order_id, product_id),
       CASE WHEN e.times IS NULL THEN 'no row' ELSE 'one row' END, format('{} rows', coalesce(f.rows, 0))
FROM expected e FULL JOIN found f USING (order_id, product_id)
WHERE e.times IS NULL OR f.rows IS DISTINCT FROM 1
ORDER BY 1
