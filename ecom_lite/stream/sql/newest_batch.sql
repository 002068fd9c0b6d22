SELECT coalesce(max(batch_id), -1) FROM realtime.stream_progress WHERE query = %(query)s
