-- What one micro-batch read and dropped; a repeated batch writes the same row again.
INSERT INTO realtime.stream_progress (query, batch_id, watermark, input_rows, late_rows, duplicate_rows, duration_ms)
VALUES (%(query)s, %(batch_id)s, %(watermark)s, %(input_rows)s, %(late_rows)s, %(duplicate_rows)s, %(duration_ms)s)
ON CONFLICT (query, batch_id) DO UPDATE
SET at = now(), watermark = excluded.watermark, input_rows = excluded.input_rows, late_rows = excluded.late_rows,
    duplicate_rows = excluded.duplicate_rows, duration_ms = excluded.duration_ms
