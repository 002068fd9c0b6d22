INSERT INTO warehouse.user_changes (user_id, changed_at, kind, name, email, city, country, source_partition, source_offset, load_xid)
SELECT n.*, (SELECT pg_current_xact_id()::text::bigint)
FROM unnest(%(user_ids)s::bigint[], %(times)s::timestamptz[], %(kinds)s::text[], %(names)s::text[], %(emails)s::text[],
            %(cities)s::text[], %(countries)s::text[], %(partitions)s::integer[], %(offsets)s::bigint[]) AS n
ON CONFLICT DO NOTHING
RETURNING source_partition
