-- One micro-batch's windows: the figures are totals, so writing them twice changes nothing. A minute only grows: a query that begins
-- anew, on a topic of which retention has removed the beginning, must not take away what is known of it.
INSERT INTO realtime.sales_per_minute AS m (window_start, category, revenue, orders, lines, units)
SELECT to_timestamp(window_start), category, revenue, orders, lines, units FROM unnest(
    %(window_start)s::bigint[], %(category)s::text[], %(revenue)s::numeric[],
    %(orders)s::bigint[], %(lines)s::bigint[], %(units)s::bigint[]
) AS batch (window_start, category, revenue, orders, lines, units)
ON CONFLICT (window_start, category) DO UPDATE
SET revenue = excluded.revenue, orders = excluded.orders, lines = excluded.lines, units = excluded.units, updated_at = now()
WHERE excluded.lines >= m.lines
