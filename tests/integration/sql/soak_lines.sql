-- So many order lines at a moment that is told, one in ten of half a day before.
INSERT INTO warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, quantity, unit_price, revenue,
                                  source_partition, source_offset, load_xid)
SELECT 'soak-' || n / 2, p.product_key, u.user_key, p.category_key, to_char(a AT TIME ZONE 'UTC', 'YYYYMMDD')::int, a, 1 + n %% 3, 9.99,
       9.99 * (1 + n %% 3), 0, n, (SELECT ops.load_order())
FROM (
    SELECT n, %(at)s::timestamptz - CASE WHEN n %% 10 = 0 THEN interval '12 hours' ELSE interval '0' END AS a
    FROM generate_series(%(first)s::bigint, %(first)s::bigint + %(lines)s - 1) n
) s
JOIN warehouse.dim_product p ON p.product_id = (1 + n %% 20)::text
JOIN warehouse.dim_user u ON u.user_id = (1 + (n / 2) %% 50)::text
