-- Events as [partition, offset, event]: one array of JSON, because an array of each column costs Python ten times as much.
INSERT INTO {table} ({columns}, source_partition, source_offset, load_xid)
SELECT {values}, (e ->> 0)::integer, (e ->> 1)::bigint, (SELECT ops.load_order())
FROM jsonb_array_elements(%(events)s::jsonb) AS e, jsonb_to_record(e -> 2) AS n ({record})
ON CONFLICT DO NOTHING
RETURNING source_partition
