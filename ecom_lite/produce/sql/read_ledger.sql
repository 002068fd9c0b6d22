SELECT partition, events, order_lines, other_events, revenue, next_offset, resume_offset, faults
FROM ops.sent_ledger
WHERE shop = %(shop)s
