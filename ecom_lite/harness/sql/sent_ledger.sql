-- What the shop says that it has sent, by partition.
SELECT partition, events, order_lines, other_events, revenue, faults, next_offset, resume_offset
FROM ops.sent_ledger WHERE shop = %(shop)s ORDER BY partition
