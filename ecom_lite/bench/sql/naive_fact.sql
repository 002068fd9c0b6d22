INSERT INTO warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, quantity, unit_price, revenue,
                                  source_partition, source_offset, load_xid)
VALUES (%(order_id)s, %(product_key)s, %(user_key)s, %(category_key)s, %(date_key)s, %(timestamp)s, %(quantity)s, %(price)s,
        %(revenue)s, %(partition)s, %(offset)s, pg_current_xact_id()::text::bigint)
ON CONFLICT DO NOTHING
