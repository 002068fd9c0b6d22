SELECT product_id, product_title, category, units, revenue, orders, rank_overall, rank_in_category, share_of_total
FROM marts.product_performance
ORDER BY length(product_id), product_id COLLATE "C"
