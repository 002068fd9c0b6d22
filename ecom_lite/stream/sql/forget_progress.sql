-- A new checkpoint counts its batches from 0 again: rows of an older one would be taken for its own.
DELETE FROM realtime.stream_progress WHERE query = %(query)s
