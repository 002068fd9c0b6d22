-- One micro-batch's windows: the figures are totals, so writing them twice changes nothing.
INSERT INTO realtime.sales_per_minute AS m (window_start, category, revenue, orders, lines, units)
SELECT * FROM unnest(
    %(window_start)s::timestamptz[], %(category)s::text[], %(revenue)s::numeric[],
    %(orders)s::bigint[], %(lines)s::bigint[], %(units)s::bigint[]
)
ON CONFLICT (window_start, category) DO UPDATE
SET revenue = excluded.revenue, orders = excluded.orders, lines = excluded.lines, units = excluded.units, updated_at = now()
