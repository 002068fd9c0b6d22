SELECT 1 FROM realtime.stream_progress WHERE query = %(query)s AND batch_id = %(batch_id)s
