-- A query that begins anew counts from the beginning.
DELETE FROM realtime.open_minutes
