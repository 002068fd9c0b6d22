-- What was in one currency before facts had one, and what has no list price, has the same hash since.
SELECT f.order_id, p.product_id, u.user_id, c.category, f.ordered_at, f.quantity, coalesce(f.exact_price, f.unit_price),
       concat_ws(' ', f.revenue, nullif(f.currency, 'USD'), f.list_price)
FROM warehouse.fact_sales f
LEFT JOIN warehouse.dim_product p USING (product_key)
LEFT JOIN warehouse.dim_user u USING (user_key)
LEFT JOIN warehouse.dim_category c ON c.category_key = f.category_key
ORDER BY f.order_id COLLATE "C", length(p.product_id), p.product_id COLLATE "C"
