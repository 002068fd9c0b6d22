SELECT category
FROM warehouse.dim_category
ORDER BY category COLLATE "C"
