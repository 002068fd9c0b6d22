SELECT order_id, product_id, kind, return_id, quantity, reason, returned_at
FROM warehouse.fact_returns
ORDER BY order_id COLLATE "C", length(product_id), product_id COLLATE "C", kind COLLATE "C", return_id COLLATE "C"
