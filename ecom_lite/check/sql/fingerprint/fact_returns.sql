SELECT order_id, product_id, kind, quantity, reason, returned_at
FROM warehouse.fact_returns
ORDER BY order_id COLLATE "C", product_id COLLATE "C", kind COLLATE "C"
