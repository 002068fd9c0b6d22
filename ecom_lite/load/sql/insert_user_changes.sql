INSERT INTO warehouse.user_changes (user_id, changed_at, kind, name, email, city, country, source_partition, source_offset, load_xid)
SELECT n.user_id, n.timestamp, n.event_type, n.name, n.email, n.city, n.country, (e ->> 0)::integer, (e ->> 1)::bigint,
       (SELECT pg_current_xact_id()::text::bigint)
FROM jsonb_array_elements(%(events)s::jsonb) AS e,
     jsonb_to_record(e -> 2) AS n (user_id bigint, timestamp timestamptz, event_type text, name text, email text, city text, country text)
ON CONFLICT DO NOTHING
RETURNING source_partition
