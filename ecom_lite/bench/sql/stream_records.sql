-- Records in committed micro-batches.
SELECT coalesce(sum(input_rows), 0)::bigint FROM realtime.stream_progress
