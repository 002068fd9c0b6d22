COPY warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, product_id, quantity, unit_price,
                           revenue, source_partition, source_offset, load_xid) FROM STDIN (FORMAT binary)
