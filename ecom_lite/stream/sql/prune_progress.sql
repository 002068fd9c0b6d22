-- Keeps the newest micro-batches, and the newest one always (but where none is to be kept): by it the checkpoint is judged. The counts of
-- older ones are summed up in the row with batch_id -1. Where none is kept those of a moment to come go, too: the clock may have been put
-- back, and a query that begins anew would take its first batches for ones that are written.
WITH old AS (
    DELETE FROM realtime.stream_progress
    WHERE query = %(query)s AND batch_id >= 0
        AND (%(keep_s)s = 0 OR at < now() - make_interval(secs => %(keep_s)s)
             AND batch_id < (SELECT max(batch_id) FROM realtime.stream_progress WHERE query = %(query)s))
    RETURNING input_rows, late_rows, duplicate_rows, duration_ms
)
INSERT INTO realtime.stream_progress AS p (query, batch_id, input_rows, late_rows, duplicate_rows, duration_ms)
SELECT %(query)s, -1, sum(input_rows), sum(late_rows), sum(duplicate_rows), sum(duration_ms)
FROM old
HAVING count(*) > 0
ON CONFLICT (query, batch_id) DO UPDATE
SET at = now(), input_rows = p.input_rows + excluded.input_rows, late_rows = p.late_rows + excluded.late_rows,
    duplicate_rows = p.duplicate_rows + excluded.duplicate_rows, duration_ms = p.duration_ms + excluded.duration_ms
