-- How many lines of each partition were new: the others are duplicates.
WITH inserted AS (
    INSERT INTO warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, product_id, quantity,
                                      unit_price, revenue, source_partition, source_offset, load_xid)
    SELECT * FROM incoming_facts
    ON CONFLICT DO NOTHING
    RETURNING source_partition
)
SELECT source_partition, count(*) FROM inserted GROUP BY source_partition
