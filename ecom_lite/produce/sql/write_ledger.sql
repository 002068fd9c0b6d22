-- Totals, not increments: a repeated write changes nothing, and a late one of an older process is ignored.
INSERT INTO ops.sent_ledger AS ledger
    (shop, partition, events, order_lines, other_events, revenue, faults, next_offset, resume_offset)
VALUES (
    %(shop)s, %(partition)s, %(events)s, %(order_lines)s, %(other_events)s, %(revenue)s, %(faults)s,
    %(next_offset)s, %(resume_offset)s
)
ON CONFLICT (shop, partition) DO UPDATE
SET events = excluded.events,
    order_lines = excluded.order_lines,
    other_events = excluded.other_events,
    revenue = excluded.revenue,
    faults = excluded.faults,
    next_offset = excluded.next_offset,
    resume_offset = excluded.resume_offset,
    updated_at = now()
WHERE ledger.next_offset <= excluded.next_offset
