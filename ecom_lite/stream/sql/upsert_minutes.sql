-- One micro-batch's windows, on top of what was counted before Spark began on this topic: the figures are totals, so writing them twice
-- changes nothing. A minute only grows: a query that begins anew, on a topic of which retention has removed the beginning, must not take
-- away what is known of it.
INSERT INTO realtime.minutes_by_currency AS m (window_start, category, currency, revenue, orders, lines, units)
SELECT n.window_start, category, currency, n.revenue + coalesce(b.revenue, 0), n.orders + coalesce(b.orders, 0),
       n.lines + coalesce(b.lines, 0), n.units + coalesce(b.units, 0)
FROM (
    SELECT to_timestamp(start_s) AS window_start, category, currency, revenue, orders, lines, units FROM unnest(
        %(window_start)s::bigint[], %(category)s::text[], %(currency)s::text[], %(revenue)s::numeric[],
        %(orders)s::bigint[], %(lines)s::bigint[], %(units)s::bigint[]
    ) AS batch (start_s, category, currency, revenue, orders, lines, units)
) AS n
LEFT JOIN realtime.minutes_before b USING (window_start, category, currency)
ORDER BY 1, 2, 3
ON CONFLICT (window_start, category, currency) DO UPDATE
SET revenue = excluded.revenue, orders = excluded.orders, lines = excluded.lines, units = excluded.units, updated_at = now()
WHERE excluded.lines >= m.lines
