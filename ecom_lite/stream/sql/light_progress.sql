-- The watermark is now: without Spark every minute is as complete as the facts are, late events included.
INSERT INTO realtime.stream_progress (query, batch_id, watermark, input_rows, duration_ms)
VALUES (%(query)s, %(batch_id)s, now(), %(facts)s, %(duration_ms)s)
ON CONFLICT (query, batch_id) DO NOTHING
