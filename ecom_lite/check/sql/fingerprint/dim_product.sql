-- Without described_at: it follows from which events of a product came in one batch.
SELECT p.product_id, p.product_title, c.category
FROM warehouse.dim_product p
LEFT JOIN warehouse.dim_category c USING (category_key)
ORDER BY length(p.product_id), p.product_id COLLATE "C"
