-- Ninety days of a shop, in one statement, with all indexes in place. `first` is the number of the first order.
INSERT INTO warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, quantity, unit_price, revenue,
                                  source_partition, source_offset, load_xid)
SELECT %(shop)s::text || '-' || o.number, p.product_key, u.user_key, p.category_key,
       to_char(o.ordered_at AT TIME ZONE 'UTC', 'YYYYMMDD')::integer, o.ordered_at, o.quantity, o.price, o.price * o.quantity,
       o.number %% 4, o.n / 4, (SELECT ops.load_order())
FROM (
    SELECT n, %(first)s + n / %(lines)s AS number, n %% 5 + 1 AS quantity, (999 + n %% 10000) * 0.01 AS price,
           now() - interval '90 days' * (1 - n::double precision / %(rows)s) AS ordered_at,
           (1 + n * 7919::bigint %% %(products)s)::text AS product_id,
           (1 + (n / %(lines)s) * 104729::bigint %% %(customers)s)::text AS user_id
    FROM generate_series(0, %(rows)s - 1) AS n
) o
JOIN warehouse.dim_product p USING (product_id)
JOIN warehouse.dim_user u USING (user_id)
