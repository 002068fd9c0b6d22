SELECT partition, order_lines, other_events, (revenue * 100)::bigint
FROM ops.sent_ledger
