INSERT INTO warehouse.fact_returns (order_id, product_id, kind, quantity, reason, returned_at, source_partition, source_offset, load_xid)
SELECT n.order_id, n.product_id, n.event_type, n.quantity, coalesce(n.reason, ''), n.timestamp, (e ->> 0)::integer, (e ->> 1)::bigint,
       (SELECT pg_current_xact_id()::text::bigint)
FROM jsonb_array_elements(%(events)s::jsonb) AS e,
     jsonb_to_record(e -> 2) AS n (order_id text, product_id bigint, event_type text, quantity integer, reason text, timestamp timestamptz)
ON CONFLICT DO NOTHING
RETURNING source_partition
