-- Asked of PostgreSQL itself, in one statement: one moment, also while the producer writes.
SELECT coalesce(sum(events), 0)::bigint AS events,
       coalesce(sum(order_lines), 0)::bigint AS order_lines,
       coalesce(sum(other_events), 0)::bigint AS other_events,
       (SELECT coalesce(jsonb_object_agg(fault, events), '{}')
        FROM (SELECT fault, sum(events)::bigint AS events FROM ops.sent_faults GROUP BY fault) AS faults) AS faults
FROM ops.sent_ledger
