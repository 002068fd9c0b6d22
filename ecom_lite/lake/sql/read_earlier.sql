-- The lines that orders with new lines had before, each found by its order.
SELECT f.order_id, u.user_id, u.country, f.ordered_at, (f.ordered_at AT TIME ZONE 'UTC')::date AS day, f.quantity,
       coalesce(f.exact_price * f.quantity, f.revenue)::numeric(18, 4) AS revenue, f.currency, f.load_xid, f.loaded_at
FROM (SELECT DISTINCT order_id FROM warehouse.fact_sales WHERE load_xid >= {since} AND load_xid < {below}) n
CROSS JOIN LATERAL (SELECT * FROM warehouse.fact_sales o WHERE o.order_id = n.order_id AND o.load_xid < {since} OFFSET 0) f
LEFT JOIN warehouse.dim_user u ON u.user_key = f.user_key
