-- A query that begins anew counts from the beginning.
WITH orders AS (DELETE FROM realtime.open_orders)
DELETE FROM realtime.open_minutes
