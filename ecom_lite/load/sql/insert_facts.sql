-- How many lines of each partition were new: the others are duplicates.
WITH inserted AS (
    INSERT INTO warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, product_id,
                                      quantity, unit_price, revenue, source_partition, source_offset, load_xid)
    SELECT order_id, product_key, user_key, category_key, date_key, ordered_at, product_id,
           quantity, price_cents * 0.01, revenue_cents * 0.01, source_partition, source_offset,
           (SELECT pg_current_xact_id()::text::bigint)
    FROM incoming_facts
    ON CONFLICT DO NOTHING
    RETURNING source_partition
)
SELECT source_partition, count(*) FROM inserted GROUP BY source_partition
