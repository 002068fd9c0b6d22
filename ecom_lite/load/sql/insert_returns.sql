INSERT INTO warehouse.fact_returns (order_id, product_id, kind, quantity, reason, returned_at, source_partition, source_offset, load_xid)
SELECT n.*, (SELECT pg_current_xact_id()::text::bigint)
FROM unnest(%(order_ids)s::text[], %(product_ids)s::bigint[], %(kinds)s::text[], %(quantities)s::integer[], %(reasons)s::text[],
            %(times)s::timestamptz[], %(partitions)s::integer[], %(offsets)s::bigint[]) AS n
ON CONFLICT DO NOTHING
RETURNING source_partition
