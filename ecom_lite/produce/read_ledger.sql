SELECT partition, events, order_lines, other_events, revenue, next_offset
FROM ops.sent_ledger
WHERE shop = %(shop)s
