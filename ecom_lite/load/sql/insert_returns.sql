-- Events as [partition, offset, event]: one array of JSON, because an array of each column costs Python ten times as much.
-- A line may come back in parts: the event's id tells them apart, and without one the time.
INSERT INTO warehouse.fact_returns ({columns}, return_id, source_partition, source_offset, load_xid)
SELECT {values}, coalesce(nullif(n.event_id, ''), to_char(n.timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
       (e ->> 0)::integer, (e ->> 1)::bigint, (SELECT ops.load_order())
FROM jsonb_array_elements(%(events)s::jsonb) AS e, jsonb_to_record(e -> 2) AS n ({record}, event_id text)
ON CONFLICT DO NOTHING
RETURNING source_partition
