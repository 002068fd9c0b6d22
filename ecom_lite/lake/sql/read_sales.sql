SELECT f.order_id, u.user_id, p.product_id, p.product_title, c.category, u.country, f.ordered_at,
       (f.ordered_at AT TIME ZONE 'UTC')::date AS day, extract(hour FROM f.ordered_at AT TIME ZONE 'UTC')::smallint AS hour, f.quantity,
       coalesce(f.exact_price, f.unit_price)::numeric(12, 4) AS price,
       coalesce(f.exact_price * f.quantity, f.revenue)::numeric(18, 4) AS revenue, f.currency, f.list_price, f.load_xid, f.loaded_at{attributes}
FROM warehouse.fact_sales f
LEFT JOIN warehouse.dim_user u ON u.user_key = f.user_key
LEFT JOIN warehouse.dim_product p ON p.product_key = f.product_key
LEFT JOIN warehouse.dim_category c ON c.category_key = f.category_key{joins}
WHERE f.load_xid >= {since} AND f.load_xid < {below}
