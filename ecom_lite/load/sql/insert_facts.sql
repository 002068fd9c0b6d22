-- How many lines of each partition were new: the others are duplicates. Those that say another time than the fact (or than a line of
-- this batch) are remembered by minute. LIMIT keeps the look at the fact one probe of its key per duplicate.
WITH inserted AS (
    INSERT INTO warehouse.fact_sales ({columns})
    SELECT * FROM incoming_facts
    ON CONFLICT DO NOTHING
    RETURNING source_partition, source_offset, order_id, product_key, ordered_at
), again AS (
    SELECT i.* FROM incoming_facts i
    LEFT JOIN inserted n USING (source_partition, source_offset, order_id, product_key)
    WHERE n.source_offset IS NULL
), repeated AS (
    INSERT INTO ops.repeated_lines AS r (window_start, partition, lines)
    SELECT date_trunc('minute', a.ordered_at, 'UTC'), a.source_partition, count(*)
    FROM again a
    LEFT JOIN LATERAL (
        SELECT f.ordered_at FROM warehouse.fact_sales f
        WHERE f.order_id = a.order_id AND f.product_key = a.product_key LIMIT 1
    ) kept ON true
    LEFT JOIN inserted n ON n.order_id = a.order_id AND n.product_key = a.product_key
    WHERE a.ordered_at IS DISTINCT FROM coalesce(kept.ordered_at, n.ordered_at)
    GROUP BY 1, 2
    ORDER BY 1, 2
    ON CONFLICT (window_start, partition) DO UPDATE SET lines = r.lines + excluded.lines
)
SELECT source_partition, count(*) FROM inserted GROUP BY source_partition
